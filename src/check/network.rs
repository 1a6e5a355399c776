//! The way to the server: the proxy on it, names, connections, certificates.

use std::io;
use std::net::SocketAddr;
use std::time::Duration;

use jiff::Timestamp;
use tokio::net::TcpStream;
use tokio::time::Instant;

use super::finding::{Finding, Findings, Id};
use crate::agent::{
    Agent, AgentError, ClientError, ErrorKind, Looked, ProxyOnTheWay, SendError, Trust,
    can_clock_be_right,
};
use crate::enrolment::ServerUrl;

/// Days of a certificate that are few.
const FEW_DAYS: i64 = 14;
/// Longest wait for one connection.
const PATIENCE: Duration = Duration::from_secs(5);
/// Seconds by which a clock may differ: what is more is worth a look, and what is more than the other is wrong.
const NEARLY: i64 = 30;
const WRONG: i64 = 300;
/// What is asked over a way that stands.
const BEYOND: [Id; 5] = [Id::Server, Id::Key, Id::Profile, Id::Gate, Id::Event];

pub(super) struct Way<'w> {
    pub(super) proxy: Option<ProxyOnTheWay>,
    /// The proxy that is set, on the way or not.
    pub(super) named: Option<String>,
    pub(super) server: &'w ServerUrl,
    pub(super) until: Instant,
}

/// The settings of the way can't be used.
pub(super) fn without_client(error: ClientError, findings: &mut Findings) {
    let id = match &error {
        ClientError::Proxy { .. } | ClientError::ProxyKind { .. } | ClientError::GivenProxy(_) => {
            Id::Proxy
        }
        _ => Id::Tls,
    };
    findings.add(Finding::of(id, AgentError::Client(error)));
    findings.skip(&Id::ALL, id);
}

impl Way<'_> {
    /// Whether something can be asked over it.
    pub(super) async fn look(&self, agent: &Agent, findings: &mut Findings) -> bool {
        findings.add(Finding::ok(
            Id::Proxy,
            match (&self.proxy, &self.named) {
                (Some(proxy), _) => format!("{} is on the way", proxy.shown),
                (None, Some(named)) => format!("none is on the way; {named} is for other servers"),
                (None, None) => "none is on the way".to_owned(),
            },
        ));
        let Some(addresses) = self.names(findings).await else {
            skip_from(Id::Dns, findings);
            return false;
        };
        if !self.connections(&addresses, findings).await {
            skip_from(Id::Route, findings);
            return false;
        }
        let (looked, distrust) = match agent.look_at(self.server).await {
            Ok(seen) => seen,
            Err(error) => {
                let id = of_failure(&error);
                findings.add(Finding::of(id, error));
                skip_from(id, findings);
                return false;
            }
        };
        findings.add(self.clock(&looked, distrust.is_some()));
        findings.add(self.tls(&looked, distrust));
        if findings.has_failed(Id::Tls) {
            findings.skip(&BEYOND, Id::Tls);
            return false;
        }
        true
    }

    /// Whom a connection is made to: the proxy, or the server itself.
    fn next(&self) -> (String, u16) {
        match &self.proxy {
            Some(proxy) => (proxy.host.clone(), proxy.port),
            None => {
                let url = self.server.endpoint("");
                let host = self.server.host().trim_matches(['[', ']']).to_owned();
                (host, url.port_or_known_default().unwrap_or(443))
            }
        }
    }

    async fn names(&self, findings: &mut Findings) -> Option<Vec<SocketAddr>> {
        let (host, port) = self.next();
        let found = tokio::net::lookup_host((host.as_str(), port)).await;
        let whose = match self.proxy {
            Some(_) => "the proxy's name ",
            None => "",
        };
        match found.map(Iterator::collect::<Vec<_>>) {
            Ok(addresses) if !addresses.is_empty() => {
                let mut shown: Vec<String> = addresses
                    .iter()
                    .map(|address| address.ip().to_string())
                    .collect();
                shown.dedup();
                shown.truncate(4);
                let words = match host.parse::<std::net::IpAddr>() {
                    Ok(_) => format!("{host} is an address, and no name"),
                    Err(_) => format!("{whose}{host} is at {}", shown.join(", ")),
                };
                findings.add(Finding::ok(Id::Dns, words));
                Some(addresses)
            }
            ended => {
                let why = ended
                    .err()
                    .map_or_else(String::new, |error| format!(": {error}"));
                findings.add(Finding::failed(Id::Dns, format!("{whose}{host} has no address{why}")).advising(
                    "check this device's network and its name server (resolvectl status shows it), and the name itself",
                ));
                None
            }
        }
    }

    async fn connections(&self, addresses: &[SocketAddr], findings: &mut Findings) -> bool {
        let first = |is_wanted: fn(&SocketAddr) -> bool| addresses.iter().find(|it| is_wanted(it));
        let (four, six) = tokio::join!(
            self.connect(first(SocketAddr::is_ipv4)),
            self.connect(first(SocketAddr::is_ipv6))
        );
        let words = [("IPv4", &four), ("IPv6", &six)].map(|(name, ended)| match ended {
            None => format!("no {name} address"),
            Some(Ok(())) => format!("{name} connects"),
            Some(Err(error)) => format!("{name} does not connect ({error})"),
        });
        let words = words.join(", ");
        let is_there = |ended: &Option<io::Result<()>>| matches!(ended, Some(Ok(())));
        let has_failed = |ended: &Option<io::Result<()>>| matches!(ended, Some(Err(_)));
        let is_reached = is_there(&four) || is_there(&six);
        findings.add(match is_reached {
            true if has_failed(&four) || has_failed(&six) => Finding::warning(Id::Route, words)
                .advising("each new connection may be slow: have that address repaired, or taken out of the name's addresses"),
            true => Finding::ok(Id::Route, words),
            false => {
                let (host, port) = self.next();
                Finding::failed(Id::Route, format!("{host}, port {port}: {words}")).advising(match self.proxy {
                    Some(_) => "check the proxy's address, and this device's network",
                    None => "check this device's network, a firewall on the way, and whether the server is up",
                })
            }
        });
        is_reached
    }

    async fn connect(&self, address: Option<&SocketAddr>) -> Option<io::Result<()>> {
        let left = self.until.saturating_duration_since(Instant::now());
        let connecting = TcpStream::connect(address?);
        Some(
            match tokio::time::timeout(PATIENCE.min(left / 2), connecting).await {
                Ok(connected) => connected.map(drop),
                Err(_) => Err(io::Error::new(io::ErrorKind::TimedOut, "no answer")),
            },
        )
    }

    fn tls(&self, looked: &Looked, distrust: Option<AgentError>) -> Finding {
        let id = Id::Tls;
        if let Some(error) = distrust {
            return Finding::of(id, error);
        }
        let Some(shown) = &looked.certificate else {
            return match self.server.is_loopback() {
                true => Finding::ok(
                    id,
                    "none, and none is needed: the server is on this machine",
                ),
                false => Finding::warning(
                    id,
                    "none: all that is said, the key too, can be read on the way",
                )
                .advising("have TLS put before the server, and enrol at its https:// address"),
            };
        };
        let Some(end) = shown.valid_until else {
            let words = format!(
                "trusted ({}), signed by {}",
                trusts(&looked.trust),
                shown.issuer
            );
            return Finding::ok(id, words);
        };
        let days = end.duration_since(Timestamp::now()).as_hours() / 24;
        let words = format!(
            "trusted ({}), signed by {}, valid until {} ({days} days)",
            trusts(&looked.trust),
            shown.issuer,
            end.strftime("%Y-%m-%d")
        );
        match days < FEW_DAYS {
            true => Finding::warning(id, words).advising("have the server's certificate renewed"),
            false => Finding::ok(id, words),
        }
    }

    fn clock(&self, looked: &Looked, is_distrusted: bool) -> Finding {
        let id = Id::Clock;
        let advice = "have it set by a time server: timedatectl set-ntp true; a machine without a battery for its clock needs one at each start";
        let unsure = match is_distrusted {
            true => ", whose certificate is not valid",
            false => "",
        };
        let off = looked.date.map(|date| off(date, looked.between));
        match off {
            None if can_clock_be_right() => {
                Finding::ok(id, "it can be right; the server tells no time")
            }
            Some(off) if off.abs() <= NEARLY => Finding::ok(
                id,
                match off {
                    0 => format!("as the server's{unsure}"),
                    _ => format!("within {} s of the server's{unsure}", off.abs()),
                },
            ),
            Some(off) => {
                let side = if off < 0 { "behind" } else { "ahead of" };
                let words = format!("{} {side} the server's{unsure}", span(off.abs()));
                match off.abs() > WRONG {
                    true => Finding::failed(id, words).advising(advice),
                    false => Finding::warning(id, words).advising(advice),
                }
            }
            None => {
                Finding::failed(id, "it shows a time before gatehand was built").advising(advice)
            }
        }
    }
}

/// Whom this device trusts, in words.
fn trusts(trust: &Trust) -> String {
    if trust.pinned_certificate().is_some() {
        return "by that certificate alone".to_owned();
    }
    let own = match trust.own_authorities().len() {
        0 => String::new(),
        count => format!(", {count} of its own"),
    };
    let system = match trust.includes_system() {
        true => ", this system's",
        false => "",
    };
    format!("by the built-in authorities{system}{own}")
}

/// By how many seconds this device's clock is ahead of the server's, which tells whole ones.
fn off(date: Timestamp, (before, after): (Timestamp, Timestamp)) -> i64 {
    let date = date.as_second();
    match date {
        date if date < before.as_second() => before.as_second() - date,
        date if date > after.as_second() => after.as_second() - date,
        _ => 0,
    }
}

fn span(seconds: i64) -> String {
    match seconds {
        0..120 => format!("{seconds} s"),
        120..7200 => format!("{} min", seconds / 60),
        7200..172_800 => format!("{} h", seconds / 3600),
        _ => format!("{} days", seconds / 86_400),
    }
}

/// Skips what needs the way, and tells a clock that can't be right all the same.
fn skip_from(id: Id, findings: &mut Findings) {
    if !can_clock_be_right() {
        findings.add(
            Finding::failed(Id::Clock, "it shows a time before gatehand was built")
                .advising("have it set by a time server: timedatectl set-ntp true"),
        );
    }
    findings.skip(&Id::ALL, id);
}

/// Which check an error is about, where connections could be made.
fn of_failure(error: &AgentError) -> Id {
    match error {
        AgentError::Client(_) => Id::Tls,
        AgentError::Unanswered { source, .. } => match source {
            SendError::Proxy { .. } => Id::Proxy,
            SendError::UnknownHost { .. } => Id::Dns,
            SendError::Clock => Id::Clock,
            SendError::NoConnection { .. }
            | SendError::NotEncrypted { .. }
            | SendError::Certificate { .. }
            | SendError::TimedOut {
                connecting: true, ..
            } => Id::Tls,
            _ => Id::Server,
        },
        error if error.kind() == ErrorKind::CertificateInvalid => Id::Tls,
        _ => Id::Server,
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_clock_is_off_by_what_lies_outside_of_the_time_that_the_question_took() {
        let at = |second| Timestamp::from_second(second).unwrap();
        let between = (at(100), at(103));
        for (date, expected) in [(100, 0), (103, 0), (90, 10), (110, -7)] {
            assert_eq!(off(at(date), between), expected, "{date}");
        }
    }
}
