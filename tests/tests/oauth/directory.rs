//! What the log-in page tells people of the directory.

use echorift_tests::TestDirectory;

use crate::browser::Browser;

#[tokio::test]
async fn whoever_must_change_the_password_does_so_on_the_page() {
    let directory = TestDirectory::with_troubles();
    let server = directory
        .server()
        .set("directory.login_group", "")
        .set("directory.password_change", true)
        .start()
        .await;
    let browser = Browser::new(&server);
    let page = browser.get("/oauth2/login").await;
    assert!(!page.html.contains("new_password"));
    let disabled = browser.log_in(&page, "mats.olsen", "nordlicht-mats").await;
    assert_eq!(disabled.status, 403);
    assert!(disabled.html.contains("disabled in the company directory"));

    let guess = browser.log_in(&page, "nele.neu", "guess").await;
    assert!(guess.status == 403 && !guess.html.contains("new_password"));
    let asked = browser.log_in(&page, "nele.neu", "nordlicht-nele").await;
    assert_eq!(asked.status, 403);
    assert!(asked.html.contains("choose a new password") && asked.html.contains("name=\"new_password\""));

    let (csrf, onward) = (asked.field("csrf"), asked.field("continue"));
    let change = async |new: &str, repeated: &str| {
        let fields = [
            ("csrf", csrf.as_str()),
            ("continue", &onward),
            ("name", "nele.neu"),
            ("password", "nordlicht-nele"),
            ("new_password", new),
            ("repeated", repeated),
        ];
        browser.post("/oauth2/login", &fields).await
    };
    for (new, repeated) in [("long enough now", "long enough too"), ("short", "short")] {
        let again = change(new, repeated).await;
        assert_eq!(again.status, 400);
        assert!(again.html.contains("name=\"new_password\""));
    }
    assert_eq!(
        change("long enough now", "long enough now").await.location(),
        "/account"
    );
}
