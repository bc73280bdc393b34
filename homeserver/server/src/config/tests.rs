#![allow(
    clippy::unwrap_used,
    clippy::expect_used,
    clippy::indexing_slicing,
    clippy::panic,
    clippy::result_large_err,
    reason = "tests"
)]

use echorift_appservice_ldap::mapping::GroupsConfig;
use echorift_appservice_ldap::mirror::MirrorConfig;

use super::*;

const DOCUMENTED: &str = include_str!("../../../../config/echorift.toml");

fn read(toml: &str) -> Result<Config, Faults> {
    Config::parse(toml)
}

fn faults(toml: &str) -> Vec<Fault> {
    read(toml).expect_err("the configuration is wrong").0
}

/// The keys that are wrong.
fn refused(toml: &str) -> Vec<String> {
    faults(toml).into_iter().map(|fault| fault.key).collect()
}

/// `config/echorift.toml` with the settings that are off unless written.
fn documented_in_full() -> String {
    let is_setting = |line: &str| {
        line.starts_with('#') && line[1..].starts_with(|c: char| c == '[' || c.is_ascii_lowercase())
    };
    DOCUMENTED
        .lines()
        .map(|line| if is_setting(line) { &line[1..] } else { line })
        .collect::<Vec<_>>()
        .join("\n")
        // The one that cannot be left empty beside the others.
        .replace("bind_password = \"\"", "bind_password = \"secret\"")
        // Without it, groups cannot be mapped.
        .replace("\nsync = false", "\nsync = true")
}

#[test]
fn the_documented_file_holds_the_defaults() {
    assert_eq!(read(DOCUMENTED).unwrap(), Config::default_settings().unwrap());
}

#[test]
fn the_documented_file_holds_every_key_and_no_other() {
    let (_, known) = Config::from_figment(&Figment::from(Toml::string(&documented_in_full())), None).unwrap();
    let mut section = String::new();
    let mut written = BTreeSet::new();
    for line in documented_in_full()
        .lines()
        .map(str::trim)
        .filter(|line| !line.is_empty() && !line.starts_with('#'))
    {
        if line.starts_with('[') {
            section = line.trim_matches(['[', ']']).to_owned();
        } else {
            written.insert(format!("{section}.{}", line.split_once('=').unwrap().0.trim()));
        }
    }
    // `<key>_file` is explained once, at the top.
    let known: BTreeSet<String> = known
        .iter()
        .filter(|key| !key.strip_suffix("_file").is_some_and(|key| known.contains(key)))
        .cloned()
        .collect();
    assert_eq!(written, known);
}

#[test]
fn the_directory_defaults_are_the_documented_ones() {
    let documented = read(&documented_in_full()).unwrap().directory.unwrap();
    let bare = read("[directory]\nurls = [\"ldap://a\"]\nbase_dn = \"dc=a\"")
        .unwrap()
        .directory
        .unwrap();
    let same = |d: DirectoryConfig| DirectoryConfig {
        urls: Vec::new(),
        bind_dn: String::new(),
        bind_password: String::new(),
        base_dn: String::new(),
        // An example: there is none unless it is written.
        groups: GroupsConfig {
            mappings: Vec::new(),
            ..d.groups
        },
        mirror: MirrorConfig {
            is_enabled: false,
            ..d.mirror
        },
        ..d
    };
    assert_eq!(same(documented), same(bare));
}

#[test]
fn each_domain_of_the_directory_has_settings_and_faults_of_its_own() {
    let first = "[directory]\nurls = [\"ldap://a\"]\nbase_dn = \"dc=a\"\n";
    let domain = "[directory.domains.sales]\nurls = [\"ldaps://b\"]\n";
    let config = read(&format!(
        "{first}{domain}base_dn = \"dc=b\"\nuid_suffix = \".sales\""
    ))
    .unwrap();
    assert_eq!(config.directory.unwrap().domain, "");
    let [sales] = config.directory_domains.as_slice() else {
        panic!("one further domain");
    };
    assert_eq!(
        (
            sales.domain.as_str(),
            sales.base_dn.as_str(),
            sales.uid_suffix.as_str()
        ),
        ("sales", "dc=b", ".sales")
    );
    assert_eq!(
        refused(&format!("{first}{domain}uid_sufix = \"x\"")),
        [
            "directory.domains.sales.base_dn",
            "directory.domains.sales.uid_sufix"
        ]
    );
    let namesake = "netbios_name = \"CORP\"\n";
    assert_eq!(
        refused(&format!(
            "{first}{namesake}{domain}base_dn = \"dc=b\"\nnetbios_name = \"corp\""
        )),
        ["directory.domains"]
    );
    assert_eq!(
        refused(&format!("{first}[directory.domains]\nsales = 1")),
        ["directory.domains"]
    );
}

#[test]
fn a_sign_in_service_names_people_of_a_directory_that_there_is() {
    let service = "[[oauth.upstream]]\nissuer = \"https://id.example.org\"\nclient_id = \"x\"\nclaim_directory_id = \"oid\"\n";
    let directory = "[directory]\nurls = [\"ldap://a\"]\nbase_dn = \"dc=a\"\n";
    assert!(read(&format!("{service}{directory}")).is_ok());
    assert_eq!(refused(service), ["oauth.upstream.claim_directory_id"]);
    let elsewhere = "directory_domain = \"sales\"\n";
    assert_eq!(
        refused(&format!("{service}{elsewhere}{directory}")),
        ["oauth.upstream.directory_domain"]
    );
    let sales = "[directory.domains.sales]\nurls = [\"ldaps://b\"]\nbase_dn = \"dc=b\"\n";
    assert!(read(&format!("{service}{elsewhere}{directory}{sales}")).is_ok());
    let without_claim = service.replace("claim_directory_id", "claim_name");
    assert_eq!(
        refused(&format!("{without_claim}{elsewhere}{directory}{sales}")),
        ["oauth.upstream.directory_domain"]
    );
}

#[test]
fn all_faults_are_told_at_once_with_key_value_and_fix() {
    let found = faults(
        "[server]\nname = \"not a name\"\n[database]\nurl = \"mysql://root:secret@db\"\nmax_conections = 3\n\
         [sessions]\naccess_token_lifetime = 15\n[[listener]]\naddress = \"localhost\"\nserves = [\"client\", \"mail\"]\n\
         [rate_limits.login]\nburst = -1\n[rooms]\npublish = \"some\"\ndefault_version = \"99\"",
    );
    let keys: Vec<&str> = found.iter().map(|fault| fault.key.as_str()).collect();
    assert_eq!(
        keys,
        [
            "server.name",
            "listener.address",
            "listener.serves",
            "database.url",
            "database.max_conections",
            "sessions.access_token_lifetime",
            "rate_limits.login.burst",
            "rooms.default_version",
            "rooms.publish",
        ]
    );
    assert_eq!(found[0].value.as_deref(), Some("\"not a name\""));
    assert_eq!(found[4].fix, "Did you mean `max_connections`?");
    assert!(
        found
            .iter()
            .all(|fault| !fault.fix.is_empty() && !fault.problem.is_empty())
    );
}

#[test]
fn a_fault_names_its_file_or_variable() {
    figment::Jail::expect_with(|jail| {
        jail.create_file("wrong.toml", "[database]\nmax_connections = 0")?;
        jail.set_env("ECHORIFT__LOG__FORMAT", "xml");
        let found = Config::load(Some(Path::new("wrong.toml")))
            .expect_err("two faults")
            .0;
        assert!(found[0].place.ends_with("wrong.toml"), "{}", found[0].place);
        assert_eq!(found[1].place, "environment variable ECHORIFT__LOG__FORMAT");
        Ok(())
    });
}

#[test]
fn variables_win_over_the_file() {
    figment::Jail::expect_with(|jail| {
        jail.create_file(
            "right.toml",
            "[server]\nname = \"file.example\"\n[rate_limits]\nenabled = true",
        )?;
        jail.set_env("ECHORIFT__SERVER__NAME", "env.example");
        jail.set_env("ECHORIFT__RATE_LIMITS__ENABLED", "false");
        jail.set_env("ECHORIFT__LISTENER__ADDRESS", "127.0.0.1:9000");
        let config = Config::load(Some(Path::new("right.toml"))).expect("no fault");
        assert_eq!(config.server.name, "env.example");
        assert!(!config.rate_limits.enabled);
        assert_eq!(config.listeners[0].address.port(), 9000);
        Ok(())
    });
}

#[test]
fn secrets_come_from_files_and_never_show() {
    figment::Jail::expect_with(|jail| {
        jail.create_file("secret", "over the hills\n")?;
        jail.create_file("c.toml", "[registration]\nshared_secret_file = \"secret\"")?;
        let config = Config::load(Some(Path::new("c.toml"))).expect("no fault");
        assert_eq!(
            config.registration.shared_secret.as_ref().expect("set").reveal(),
            "over the hills"
        );
        assert!(!format!("{config:?}").contains("hills"));

        jail.create_file(
            "c.toml",
            "[registration]\ntoken = \"hush\"\ntoken_file = \"secret\"",
        )?;
        let refused = Config::load(Some(Path::new("c.toml"))).expect_err("set twice");
        assert!(!refused.to_string().contains("hush"));
        Ok(())
    });
}

#[test]
fn what_could_never_work_is_refused() {
    assert_eq!(
        refused("[registration]\nenabled = true"),
        ["registration.enabled"]
    );
    assert_eq!(
        refused("[passwords]\nlocal_accounts = false"),
        ["passwords.local_accounts"]
    );
    assert_eq!(
        refused("[[listener]]\ntls = true"),
        ["listener.tls_certificate", "listener.tls_private_key"]
    );
    assert_eq!(refused("[directory]"), ["directory.urls", "directory.base_dn"]);
    assert_eq!(
        refused("[[listener]]\naddress = \"127.0.0.1:1\"\n[[listener]]\naddress = \"127.0.0.1:1\""),
        ["listener"]
    );
    assert_eq!(refused("server = 3"), ["server"]);
    assert_eq!(
        refused("[server]\npublic_base_url = \"ftp://x\"\nclient_dir = \"/nowhere\""),
        ["server.public_base_url", "server.client_dir"]
    );
    assert_eq!(
        refused("[client]\nbrand = \" \"\nhelp_url = \"javascript:alert()\""),
        ["client.brand", "client.help_url"]
    );
}

#[test]
fn keys_of_later_releases_have_no_effect_but_are_no_fault() {
    let config = read("[cluster]\nnats = \"x\"\n[telemetry]\nurl = \"x\"").unwrap();
    assert_eq!(config.without_effect, ["cluster", "telemetry"]);
    assert_eq!(read("[colours]\nred = 1").unwrap_err().0[0].key, "colours");
}

#[test]
fn broken_toml_names_the_line() {
    let told = read("[server\nname = 3").unwrap_err().to_string();
    assert!(told.contains("line 1"), "{told}");
}
