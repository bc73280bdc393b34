use std::path::Path;
use std::process::Output;

use echorift_tests::{Look as _, TestServer, User, run_cli, v3};
use serde_json::json;

fn text(output: &Output) -> String {
    format!(
        "{}{}",
        String::from_utf8_lossy(&output.stdout),
        String::from_utf8_lossy(&output.stderr)
    )
}

fn write(folder: &Path, name: &str, content: &str) -> String {
    let path = folder.join(name);
    std::fs::write(&path, content).unwrap();
    path.to_str().unwrap().to_owned()
}

#[test]
fn check_tells_every_fault_at_once() {
    let folder = tempfile::tempdir().unwrap();
    let config = write(
        folder.path(),
        "faulty.toml",
        "[server]\nname = \"not a name\"\nnam = \"x\"\n\
         [database]\nurl = \"oracle://db\"\n\
         [sessions]\naccess_token_lifetime = \"soon\"\n\
         [registration]\nshared_secret_file = \"/does/not/exist\"\n\
         [rate_limits.messages]\nper_second = -1\n\
         [[listener]]\naddress = \"nowhere\"\n",
    );
    for command in ["check", "serve"] {
        let output = run_cli([command, "--config", &config]);
        assert!(!output.status.success());
        let said = text(&output);
        for fault in [
            "server.name",
            "server.nam ",
            "database.url",
            "sessions.access_token_lifetime",
            "registration.shared_secret_file",
            "rate_limits.messages.per_second",
            "listener.address",
        ] {
            assert!(
                said.contains(fault),
                "{command} does not tell of {fault}:\n{said}"
            );
        }
        assert!(
            said.contains("faulty.toml") && said.contains("soon"),
            "file and value are named:\n{said}"
        );
    }
}

#[test]
fn init_writes_what_check_accepts() {
    let folder = tempfile::tempdir().unwrap();
    let inside = folder.path().join("chat");
    let inside = inside.to_str().unwrap();
    let output = run_cli(["init", inside, "--server-name", "chat.example"]);
    assert!(output.status.success(), "{}", text(&output));
    let config = std::fs::read_to_string(format!("{inside}/echorift.toml")).unwrap();
    assert!(config.contains("chat.example"));
    let again = run_cli(["init", inside]);
    assert!(
        !again.status.success(),
        "an existing configuration is not overwritten"
    );

    // On a port of the test's own, so that another server on this machine is no fault.
    let config = write(
        folder.path(),
        "free.toml",
        &config.replace("127.0.0.1:8008", "127.0.0.1:0"),
    );
    let output = run_cli(["check", "--config", &config]);
    assert!(output.status.success(), "{}", text(&output));
    assert!(run_cli(["version"]).status.success());
}

#[tokio::test]
async fn an_operator_makes_accounts_while_the_server_runs() {
    let server = TestServer::start().await;
    let password = write(server.data_dir(), "password", "from the file\n");
    let config = server.config_file();
    let config = config.to_str().unwrap();
    let create = |more: &[&str]| {
        let words = [
            "user",
            "create",
            "warden",
            "--password-file",
            &password,
            "--config",
            config,
        ];
        run_cli(words.iter().chain(more))
    };
    let output = create(&["--admin"]);
    assert!(output.status.success(), "{}", text(&output));
    assert!(text(&output).contains("@warden:test.example"));
    let warden = User::logged_in(&server, "warden", "from the file").await.unwrap();
    let [alice] = server.register(["alice"]).await;
    warden
        .get(v3(["admin", "whois", &alice.id]))
        .await
        .expect("an administrator");
    assert!(!create(&[]).status.success(), "the name is taken");
}

#[tokio::test]
async fn the_first_administrator_registers_with_the_printed_token() {
    let server = TestServer::builder().without("registration").start().await;
    let greeting = server.logs();
    let at = greeting
        .iter()
        .position(|line| line.contains("registration token"))
        .expect("the greeting offers one");
    let token = greeting[at + 1].trim().to_owned();
    let register = |name: &'static str| {
        let auth = json!({ "type": "m.login.registration_token", "token": token });
        let body = json!({ "username": name, "password": "a long password", "auth": auth });
        let anyone = server.anonymous();
        async move { anyone.post(v3(["register"]), body).await }
    };
    let made = match register("first").await {
        Ok(made) => made,
        // The session has to be named.
        Err(refusal) => {
            let session = refusal.body.text("/session").to_owned();
            let auth = json!({ "type": "m.login.registration_token", "token": token, "session": session });
            let body = json!({ "username": "first", "password": "a long password", "auth": auth });
            server.anonymous().post(v3(["register"]), body).await.unwrap()
        }
    };
    let first = server.with_token(made.text("/access_token"));
    first
        .get(v3(["admin", "whois", "@first:test.example"]))
        .await
        .unwrap();
    assert!(register("second").await.is_err(), "the token was good for one");

    server.kill();
    server.restart().await;
    let greeting = server.logs();
    let offers = greeting
        .iter()
        .filter(|line| line.contains("registration token"))
        .count();
    assert_eq!(
        offers, 1,
        "there is an administrator, so no further token is printed"
    );
}
