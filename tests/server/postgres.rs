//! A database of PostgreSQL as its owner meets it: whose it is, what it needs, what is told of it.

use std::ffi::OsString;
use std::net::TcpListener;
use std::path::{Path, PathBuf};

use gatehand::server::store::{self, Database, Installation, OpenError, OpenFailure};

use rcgen::KeyPair;

use crate::common::authority::{root, server_parameters};
use crate::common::installation::{ServerProcess, serve};
use crate::common::postgres::{Postgres, name_in};

fn open(address: &str, secret: Option<&Path>) -> Result<Installation, OpenError> {
    let database = Database::try_from(OsString::from(address)).unwrap();
    store::open(&database, secret)
}

/// A folder for a secret, and where it is to be.
fn place() -> (tempfile::TempDir, PathBuf) {
    let folder = tempfile::tempdir().unwrap();
    let secret = folder.path().join("secret");
    (folder, secret)
}

#[test]
fn of_many_who_open_an_empty_database_at_once_one_makes_it() {
    let Some(postgres) = Postgres::shared() else {
        return;
    };
    let address = postgres.database();
    let (_folder, secret) = place();
    std::thread::scope(|threads| {
        for _ in 0..8 {
            threads.spawn(|| open(&address, Some(&secret)).unwrap());
        }
    });
    let rows = "SELECT (SELECT count(*) FROM gatehand_schema), (SELECT count(*) FROM installation)";
    assert_eq!(postgres.sql(name_in(&address), rows), "1|1");
}

#[test]
fn a_database_opens_with_the_secret_it_was_made_with_only() {
    let Some(postgres) = Postgres::shared() else {
        return;
    };
    let address = postgres.database();
    let (folder, secret) = place();
    let error = open(&address, None).map(drop).unwrap_err().source;
    assert!(matches!(error, OpenFailure::NoSecretFile), "{error}");
    drop(open(&address, Some(&secret)).unwrap());
    let elsewhere = folder.path().join("elsewhere");
    let error = open(&address, Some(&elsewhere))
        .map(drop)
        .unwrap_err()
        .source;
    assert!(matches!(error, OpenFailure::Secret(_)), "{error}");
    assert!(!elsewhere.exists(), "no second secret is made");
    std::fs::copy(&secret, &elsewhere).unwrap();
    drop(open(&address, Some(&elsewhere)).unwrap());
    std::fs::write(&elsewhere, "0".repeat(64)).unwrap();
    let error = open(&address, Some(&elsewhere))
        .map(drop)
        .unwrap_err()
        .source;
    assert!(matches!(error, OpenFailure::OtherSecret), "{error}");
}

#[test]
fn a_database_of_something_else_is_left_alone() {
    let Some(postgres) = Postgres::shared() else {
        return;
    };
    let (_folder, secret) = place();
    let address = postgres.database();
    let name = name_in(&address);
    postgres.sql(name, "CREATE TABLE device (id integer)");
    let error = open(&address, Some(&secret)).map(drop).unwrap_err().source;
    assert!(matches!(error, OpenFailure::TablesOfOthers), "{error}");
    assert_eq!(
        postgres.sql(
            name,
            "SELECT relname FROM pg_class WHERE relname IN ('device', 'organizer')"
        ),
        "device"
    );

    postgres.sql("postgres", "CREATE DATABASE ascii ENCODING 'SQL_ASCII' LOCALE 'C' LOCALE_PROVIDER libc TEMPLATE template0");
    let error = open(&postgres.address("ascii"), Some(&secret))
        .map(drop)
        .unwrap_err()
        .source;
    assert!(matches!(error, OpenFailure::Encoding { .. }), "{error}");

    let address = postgres.database();
    let (_folder, secret) = place();
    drop(open(&address, Some(&secret)).unwrap());
    postgres.sql(name_in(&address), "UPDATE gatehand_schema SET version = 99");
    let error = open(&address, Some(&secret)).map(drop).unwrap_err().source;
    assert!(
        matches!(error, OpenFailure::Newer { found: 99, .. }),
        "{error}"
    );
}

#[test]
fn what_is_wrong_with_a_database_is_told_with_what_to_do() {
    let Some(postgres) = Postgres::shared() else {
        return;
    };
    let (folder, secret) = place();
    let nowhere = format!("postgres:///x?host={}", folder.path().display());
    for (address, words) in [
        (postgres.address("missing"), "createdb"),
        (nowhere, "see that PostgreSQL runs"),
        (
            "postgres://127.0.0.1:1,127.0.0.1:2/x?user=u".to_owned(),
            "see that PostgreSQL runs",
        ),
    ] {
        let error = open(&address, Some(&secret)).map(drop).unwrap_err();
        let advice = error.advice().unwrap();
        assert!(advice.contains(words), "{error:?}: {advice}");
    }
    assert!(!secret.exists(), "a secret is made with the database only");
}

#[test]
fn a_password_is_neither_said_nor_logged() {
    let Some(postgres) = Postgres::shared() else {
        return;
    };
    let (_folder, secret) = place();
    let address = postgres
        .database()
        .replace("&user=postgres", "&user=postgres&password=hunter2");
    let secret_file = ["--secret-file", secret.to_str().unwrap(), "--log", "trace"];
    let server = ServerProcess::start_with(Path::new(&address), &secret_file);
    assert!(!server.log().contains("hunter2") && !server.line.contains("hunter2"));
    assert!(
        server.line.contains("postgres://postgres@/"),
        "{}",
        server.line
    );
    drop(server);
    for wrong in [
        "postgres://gate:hunter2@127.0.0.1:1/x",
        "postgres://gate:hunter2@db/x?wrong=1",
        "postgres://gate:hun/hunter2@db/x",
    ] {
        for arguments in [&[][..], &["--help"][..]] {
            let mut by_argument = serve(Path::new(wrong));
            by_argument
                .args(arguments)
                .arg("--secret-file")
                .arg(&secret);
            let mut by_variable = std::process::Command::new(env!("CARGO_BIN_EXE_gatehand"));
            by_variable.args(["serve", "--listen", "127.0.0.1:0", "--secret-file"]);
            by_variable
                .arg(&secret)
                .args(arguments)
                .env("GATEHAND_DATABASE", wrong);
            for command in [&mut by_argument, &mut by_variable] {
                let ran = command.output().unwrap();
                let said = [ran.stdout, ran.stderr].concat();
                let said = String::from_utf8_lossy(&said);
                assert!(!said.contains("hunter2"), "{said}");
                assert!(!ran.status.success() || !arguments.is_empty(), "{said}");
            }
        }
    }
}

#[test]
fn another_machine_is_reached_by_tls_with_a_certificate_that_is_vouched_for() {
    let authority = root("Database's own authority");
    let key = KeyPair::generate().unwrap();
    let certificate = server_parameters("localhost")
        .signed_by(&key, &authority)
        .unwrap();
    let port = TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
        .port();
    let configuration = "listen_addresses = '127.0.0.1'\nssl = on\nssl_cert_file = '../cert.pem'\nssl_key_file = '../key.pem'";
    let files = [
        ("cert.pem", &*certificate.pem()),
        ("key.pem", &*key.serialize_pem()),
    ];
    let Some(postgres) = Postgres::start_at(port, configuration, &files) else {
        return;
    };
    postgres.sql("postgres", "CREATE ROLE gate LOGIN PASSWORD 's3cr/t@'");
    postgres.sql("postgres", "CREATE DATABASE gatehand OWNER gate");
    let (folder, secret) = place();
    let vouched = folder.path().join("authority.pem");
    std::fs::write(&vouched, authority.pem()).unwrap();
    let stranger = folder.path().join("stranger.pem");
    std::fs::write(&stranger, root("Another authority").pem()).unwrap();
    let address = |host: &str, password: &str, more: &str| {
        format!("postgres://gate:{password}@{host}:{port}/gatehand?{more}")
    };
    let by = |roots: &Path| format!("sslmode=verify-full&sslrootcert={}", roots.display());
    let installation = open(
        &address("localhost", "s3cr%2Ft%40", &by(&vouched)),
        Some(&secret),
    );
    drop(installation.unwrap());
    let encrypted = "SELECT bool_and(ssl) FROM pg_stat_ssl JOIN pg_stat_activity USING (pid) WHERE usename = 'gate'";
    let installation = open(
        &address("localhost", "s3cr%2Ft%40", &by(&vouched)),
        Some(&secret),
    )
    .unwrap();
    let runtime = tokio::runtime::Builder::new_current_thread()
        .enable_all()
        .build()
        .unwrap();
    runtime.block_on(installation.store.organizers()).unwrap();
    assert_eq!(postgres.sql("postgres", encrypted), "t");
    for (address, advice) in [
        (
            address("localhost", "s3cr%2Ft%40", &by(&stranger)),
            "certificate for the host's name",
        ),
        (
            address("127.0.0.1", "s3cr%2Ft%40", &by(&vouched)),
            "certificate for the host's name",
        ),
        (
            address("localhost", "wrong", &by(&vouched)),
            "the user and the password",
        ),
        (
            address(
                "localhost",
                "s3cr%2Ft%40",
                &by(&folder.path().join("none.pem")),
            ),
            "in PEM form",
        ),
    ] {
        let error = open(&address, Some(&secret)).map(drop).unwrap_err();
        assert!(
            error.advice().unwrap().contains(advice),
            "{address}: {error:?} {:?}",
            error.advice()
        );
    }
}
