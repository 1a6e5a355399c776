//! Trust and way that the program on top gives, as an app does: a server known by its certificate alone,
//! certificates that it holds, the system's as it found them, the network's proxy.

use std::sync::Arc;

use gatehand::agent::{
    Agent, AgentError, ApiRequest, Client, ClientConfig, Distrust, InitializeOptions, ProxyChoice,
    SendError, ThisMachine, Trust,
};
use gatehand::enrolment::Enrolment;
use gatehand::secret::Secret;
use gatehand::vault::Folder;
use rcgen::{Certificate, CertificateParams, KeyPair, date_time_ymd};

use crate::common::authority::{root, server_parameters};
use crate::common::scanner::Scanner;
use crate::common::stranger::{Stranger, identity};

/// A name that nobody has: only a proxy gets there.
const ELSEWHERE: &str = "gatehand.invalid";

fn agent(scanner: &Scanner, config: ClientConfig) -> Agent {
    let folder = Folder::at(scanner.home()).unwrap().volatile_allowed();
    let describe = ThisMachine {
        folder: folder.clone(),
    };
    Agent::new(folder, Client::new(&config).unwrap(), Arc::new(describe)).with_memory()
}

fn trusting(trust: Trust) -> ClientConfig {
    ClientConfig {
        trust: Some(trust),
        ..ClientConfig::default()
    }
}

async fn enrol(agent: &Agent, url: &str) -> Result<(), AgentError> {
    let token = Secret::new("kpp4jn8g2ynzonp6".to_owned());
    let enrolment = Enrolment::new(url.parse().unwrap(), token).unwrap();
    let options = InitializeOptions::default();
    agent.initialize(&enrolment, &options).await.map(drop)
}

fn distrust(result: Result<(), AgentError>) -> Distrust {
    match result {
        Err(AgentError::Unanswered {
            source: SendError::Certificate { distrust, .. },
            ..
        }) => *distrust,
        other => panic!("{other:?}"),
    }
}

/// As whoever sets up a server in a tent makes it: for a name that it does not have, and long over.
fn of_a_tent() -> CertificateParams {
    let mut parameters = server_parameters("tent");
    parameters.not_before = date_time_ymd(2019, 1, 1);
    parameters.not_after = date_time_ymd(2020, 1, 1);
    parameters
}

/// A server at a numeric address that shows this certificate and has this key.
fn server(certificate: &Certificate, key: &KeyPair) -> (Stranger, String) {
    let server = Stranger::with_chain(vec![certificate.der().clone()], key, identity("k3y"));
    let url = server.url.replace("localhost", "127.0.0.1");
    (server, url)
}

fn get() -> ApiRequest {
    ApiRequest {
        method: "GET".to_owned(),
        path: "/api/v1/version".to_owned(),
        body: Vec::new(),
        content_type: None,
        headers: Vec::new(),
        idempotency_key: None,
        once: false,
        time_limit: None,
        read_timeout: None,
    }
}

#[tokio::test]
async fn a_server_without_a_name_is_known_by_its_certificate_whoever_signed_it_and_whenever_it_ends()
 {
    let key = KeyPair::generate().unwrap();
    for certificate in [
        of_a_tent().self_signed(&key).unwrap(),
        of_a_tent().signed_by(&key, &root("Nobody's")).unwrap(),
    ] {
        let (server, url) = server(&certificate, &key);
        let trust = Trust::pinned(certificate.der().to_vec()).unwrap();
        let scanner = Scanner::new();
        let agent = agent(&scanner, trusting(trust));
        enrol(&agent, &url).await.unwrap();
        assert_eq!(agent.request(get()).await.unwrap().status, 200);
        assert_eq!(server.requests().len(), 2);

        // It is kept with the device, and shown.
        let kept = &scanner.status()["trust"];
        assert_eq!(kept["pinned"]["name"], "CN=Tickets", "{kept}");
        let shown = scanner.run(&["status"]).stdout;
        assert!(
            shown.contains("one certificate of the server alone: CN=Tickets"),
            "{shown}"
        );
        scanner
            .run(&["request", "GET", "/api/v1/version"])
            .succeeds();
    }
}

#[tokio::test]
async fn a_pinned_server_is_no_other_however_like_it_is() {
    let (key, other) = (KeyPair::generate().unwrap(), KeyPair::generate().unwrap());
    let pinned = of_a_tent().self_signed(&key).unwrap();
    let trust = Trust::pinned(pinned.der().to_vec()).unwrap();

    // The same names by another key, and another certificate of the same key.
    let mut renewed = of_a_tent();
    renewed.not_after = date_time_ymd(2040, 1, 1);
    for (certificate, key) in [
        (of_a_tent().self_signed(&other).unwrap(), &other),
        (renewed.self_signed(&key).unwrap(), &key),
    ] {
        let (server, url) = server(&certificate, key);
        let scanner = Scanner::new();
        let refused = enrol(&agent(&scanner, trusting(trust.clone())), &url).await;
        assert_eq!(distrust(refused), Distrust::NotPinned);
        assert!(server.requests().is_empty());
    }

    // One that has copied the certificate, and has no key to it.
    let (server, url) = server(&pinned, &other);
    let scanner = Scanner::new();
    let refused = enrol(&agent(&scanner, trusting(trust)), &url).await;
    assert!(matches!(distrust(refused), Distrust::Flawed(_)));
    assert!(server.requests().is_empty());
}

#[tokio::test]
async fn an_authority_that_is_given_is_trusted_and_what_is_none_is_refused() {
    let (authority, key) = (root("Own Root"), KeyPair::generate().unwrap());
    let certificate = server_parameters("localhost")
        .signed_by(&key, &authority)
        .unwrap();
    let (server, _) = server(&certificate, &key);
    let given = [authority.der().to_vec(), authority.der().to_vec()];
    let trust = Trust::default().with_certificates(given).unwrap();
    assert_eq!(trust.own_authorities().len(), 1);
    let scanner = Scanner::new();
    enrol(&agent(&scanner, trusting(trust)), &server.url)
        .await
        .unwrap();

    for none in [vec![], vec![0x30, 0x82, 1, 2], authority.pem().into_bytes()] {
        assert!(Trust::default().with_certificates([none.clone()]).is_err());
        assert!(Trust::pinned(none).is_err());
    }
}

#[tokio::test]
async fn the_systems_certificates_are_those_that_the_program_on_top_found() {
    let (authority, key) = (root("Installed Root"), KeyPair::generate().unwrap());
    let certificate = server_parameters("localhost")
        .signed_by(&key, &authority)
        .unwrap();
    let (server, _) = server(&certificate, &key);
    let given = |system, found: Vec<Vec<u8>>| ClientConfig {
        system_certificates: Some(found),
        ..trusting(Trust::default().with_system_certificates(system))
    };
    let scanner = Scanner::new();
    let found = vec![b"of an old form".to_vec(), authority.der().to_vec()];
    let refused = enrol(&agent(&scanner, given(false, found.clone())), &server.url).await;
    assert!(matches!(distrust(refused), Distrust::Unknown { .. }));
    enrol(&agent(&scanner, given(true, found)), &server.url)
        .await
        .unwrap();
    assert!(Client::new(&given(true, Vec::new())).is_err());
}

#[tokio::test]
async fn the_proxy_of_a_network_is_used_from_the_next_call_on_and_no_longer_than_it_is_there() {
    let (authority, key) = (root("Own Root"), KeyPair::generate().unwrap());
    let certificate = server_parameters(ELSEWHERE)
        .signed_by(&key, &authority)
        .unwrap();
    let (server, _) = server(&certificate, &key);
    let (first, second) = (
        Stranger::proxy_to(&server.url),
        Stranger::proxy_to(&server.url),
    );
    let trust = Trust::default()
        .with_certificates([authority.der().to_vec()])
        .unwrap();
    let through = |proxy: ProxyChoice| ClientConfig {
        proxy,
        deadline: std::time::Duration::from_secs(2),
        ..trusting(trust.clone())
    };
    let by = |proxy: &Stranger| {
        let (_, port) = proxy.url.rsplit_once(':').unwrap();
        let (host, port) = ("localhost".to_owned(), port.parse().unwrap());
        through(ProxyChoice::Http { host, port })
    };
    let scanner = Scanner::new();
    let began = agent(&scanner, by(&first));
    enrol(&began, &format!("https://{ELSEWHERE}"))
        .await
        .unwrap();
    assert!(first.requests()[0].starts_with("CONNECT gatehand.invalid:443 "));
    let connections = first.requests().len();

    let moved = began.reaching_by(Client::new(&by(&second)).unwrap());
    assert_eq!(moved.request(get()).await.unwrap().status, 200);
    assert_eq!(
        (first.requests().len(), second.requests().len()),
        (connections, 1)
    );

    let direct = moved.reaching_by(Client::new(&through(ProxyChoice::Direct)).unwrap());
    let lost = direct.request(get()).await.err().unwrap().to_string();
    assert!(
        lost.contains(ELSEWHERE) && !lost.contains("proxy"),
        "{lost}"
    );
    assert_eq!(second.requests().len(), 1);
}
