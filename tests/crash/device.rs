//! One device with its server: what is done to it, and whether it is well afterwards.

use std::cell::{Cell, RefCell};
use std::collections::BTreeSet;
use std::fmt::Display;
use std::fs;
use std::os::unix::process::ExitStatusExt;
use std::path::PathBuf;
use std::sync::{Arc, LazyLock, Mutex};

use gatehand::agent::{State, Status};
use gatehand::vault::Folder;
use getrandom::SysRng;
use rsa::PrivateKey;
use rsa::pkcs8::{EncodePrivateKey, LineEnding};
use rsa::rand_core::UnwrapErr;
use serde_json::{Value, json};

use crate::common::faulty_way::{FaultyWay, first_line};
use crate::common::installation::Installation;
use crate::common::scanner::Scanner;
use crate::common::server::ORGANIZER;
use crate::process::{Kill, Outcome, Running};
use crate::tally::Tally;

/// Of all apps alike, in PEM: to make one takes seconds.
static MEDIA_KEY: LazyLock<String> = LazyLock::new(|| {
    let key = PrivateKey::new(&mut UnwrapErr(SysRng), 2048).unwrap();
    key.to_pkcs8_pem(LineEnding::LF).unwrap().to_string()
});

/// How often a device that is left in peace may have to be asked until it is well.
const TRIES: usize = 4;

/// A server and the way to it, for one device after the other.
pub struct Ground {
    pub installation: Arc<Installation>,
    pub way: FaultyWay,
    /// How many of the server's devices were initialized in all lives on this ground.
    initialized: Cell<usize>,
}

impl Ground {
    pub fn new() -> Self {
        let installation = Arc::new(Installation::start());
        Self {
            way: FaultyWay::to(Arc::clone(&installation)),
            installation,
            initialized: Cell::new(0),
        }
    }

    /// Asserts that no device was initialized but those whose lives ended well.
    pub fn has_no_other_devices(&self) {
        let devices = self.installation.devices();
        let initialized = devices.iter().filter(|device| is_initialized(device));
        assert_eq!(initialized.count(), self.initialized.get());
    }

    /// What happened on the way, in lines for a person.
    pub fn way_went(&self) -> Vec<String> {
        let line = |text: &String| first_line(text).to_owned();
        let exchanges = self.way.record().into_iter();
        exchanges
            .map(|exchange| {
                let answers: Vec<String> = exchange.answers.iter().map(line).collect();
                let fault: String = exchange.fault.chars().take(60).collect();
                format!("{}  {fault}  {answers:?}", line(&exchange.request))
            })
            .collect()
    }
}

/// A device that the organizer created for this life.
struct Created {
    number: u64,
    token: String,
    serial: String,
}

/// What the device was last told to become.
#[derive(Clone, Debug)]
pub enum Wish {
    /// The one with the latest token, with these options.
    Enrolled(&'static [&'static str]),
    /// The one that another app enrolled.
    Adopted,
}

/// A device from its first enrolment on.
pub struct Life<'a> {
    pub ground: &'a Ground,
    scanner: Scanner,
    story: &'a Mutex<Vec<String>>,
    tally: &'a Tally,
    created: RefCell<Vec<Created>>,
    wish: RefCell<Wish>,
    /// Serial of the device that is to be revoked when the wish has come true.
    pub to_leave: RefCell<Option<String>>,
    /// Serials of the devices whose end was asked for.
    to_end: RefCell<BTreeSet<String>>,
    /// How many models the device has reported to be.
    models: Cell<usize>,
    /// Seconds that a command tries.
    pub timeout: Cell<u64>,
}

impl<'a> Life<'a> {
    pub fn new(ground: &'a Ground, story: &'a Mutex<Vec<String>>, tally: &'a Tally) -> Self {
        ground.way.heal();
        ground.way.settle();
        ground.way.forget();
        let scanner = Scanner::new();
        Self {
            ground,
            scanner,
            story,
            tally,
            created: RefCell::default(),
            wish: RefCell::new(Wish::Enrolled(&[])),
            to_leave: RefCell::default(),
            to_end: RefCell::default(),
            models: Cell::new(0),
            timeout: Cell::new(10),
        }
    }

    fn tell(&self, what: impl Display) {
        self.story.lock().unwrap().push(what.to_string());
    }

    /// What the device is to become from now on.
    pub fn wish_for(&self, wish: Wish) {
        *self.wish.borrow_mut() = wish;
        *self.to_leave.borrow_mut() = None;
    }

    /// The organizer creates one more device, which is the one that is meant from now on.
    pub fn create(&self) {
        let device = self.ground.installation.add_device("Lane");
        let text = |field: &str| device[field].as_str().unwrap().to_owned();
        self.created.borrow_mut().push(Created {
            number: device["device_id"].as_u64().unwrap(),
            token: text("initialization_token"),
            serial: text("unique_serial"),
        });
    }

    /// The arguments that enrol this device as the one that is meant.
    fn enrolling(&self, options: &[&str]) -> Vec<String> {
        let token = self.created.borrow().last().unwrap().token.clone();
        let begin = ["init", "--url", &self.ground.way.url, "--token", &token];
        let all = begin.iter().chain(options);
        all.map(|&argument| argument.to_owned()).collect()
    }

    /// Another app enrols the device that is meant, and leaves a file of it.
    pub fn enrol_elsewhere(&self) {
        let other = Scanner::new();
        let arguments = self.enrolling(&[]);
        let arguments: Vec<&str> = arguments.iter().map(String::as_str).collect();
        other.run(&arguments).succeeds();
        let secrets = self.ground.way.secrets();
        let existing = json!({
            "url": self.ground.way.url,
            "key": secrets.api_keys.last().unwrap(),
            "serial": self.created.borrow().last().unwrap().serial,
        });
        fs::write(self.existing(), existing.to_string()).unwrap();
        fs::write(self.media_key(), MEDIA_KEY.as_str()).unwrap();
    }

    /// The other app's RSA key.
    fn media_key(&self) -> PathBuf {
        self.scanner.scratch().join("media-key.pem")
    }

    fn existing(&self) -> PathBuf {
        self.scanner.scratch().join("existing.json")
    }

    /// Makes the vault unusable, as a lost key file does.
    pub fn damage_vault(&self) {
        fs::remove_file(self.scanner.home().join("vault.key")).unwrap();
        self.tell("the vault's key is gone");
    }

    /// The organizer ends the device's access.
    pub fn revoke_at_server(&self) {
        let number = self.number(&self.ask_to_end()).to_string();
        let arguments = ["device", "revoke", ORGANIZER, &number];
        self.ground.installation.admin(&arguments);
        self.tell("the organizer revoked it");
    }

    /// From now on the device that is enrolled may be revoked.
    pub fn ask_to_end(&self) -> String {
        let serial = self.status()["unique_serial"].as_str().unwrap().to_owned();
        self.to_end.borrow_mut().insert(serial.clone());
        serial
    }

    fn number(&self, serial: &str) -> u64 {
        let created = self.created.borrow();
        let device = created.iter().find(|device| device.serial == serial);
        device.expect("a device of this life").number
    }

    /// Fulfils the wish, or tries.
    pub fn become_as_wished(&self, kill: Kill) -> Outcome {
        let wish = self.wish.borrow().clone();
        let arguments = match wish {
            Wish::Enrolled(options) => self.enrolling(options),
            Wish::Adopted => {
                let [existing, key] = [self.existing(), self.media_key()];
                let [existing, key] = [existing, key].map(|path| path.display().to_string());
                vec!["adopt".to_owned(), existing, "--media-key".to_owned(), key]
            }
        };
        self.run(&arguments, kill)
    }

    pub fn run(&self, arguments: &[impl AsRef<str>], kill: Kill) -> Outcome {
        self.finish(self.start(arguments, kill))
    }

    /// Runs two commands at once, of which the first may be killed.
    pub fn run_both(&self, first: &[&str], kill: Kill, second: &[&str]) -> Outcome {
        let first = self.start(first, kill);
        let second = self.start(second, Kill::Never);
        let outcome = self.finish(first);
        self.is_fair(&self.finish(second));
        outcome
    }

    fn start(&self, arguments: &[impl AsRef<str>], kill: Kill) -> Running {
        let mut arguments: Vec<&str> = arguments.iter().map(AsRef::as_ref).collect();
        let said = arguments.join(" ");
        let timeout = self.timeout.get().to_string();
        arguments.extend(["--json", "--timeout", &timeout]);
        Running::start(self.scanner.command(&arguments), said, kill)
    }

    fn finish(&self, running: Running) -> Outcome {
        let outcome = running.finish();
        let words = outcome.ended.stderr.trim().replace('\n', "\n    ");
        self.tell(format!("{}: {}\n    {words}", outcome.said, outcome.status));
        assert!(!words.contains("panicked"), "it panicked");
        let other_signal = outcome.status.signal().filter(|_| !outcome.was_killed);
        assert_eq!(other_signal, None, "it crashed");
        self.tally
            .command(outcome.was_killed, outcome.killed_at.as_deref());
        outcome
    }

    /// What the vault says of a device that must not be lost: never that it is. It is read here, since processes that
    /// only ask for it would take most of the time.
    pub fn status(&self) -> Value {
        let folder = Folder::at(self.scanner.home()).unwrap().volatile_allowed();
        let status = match Status::read(&folder) {
            Ok(status) => status,
            // A vault whose key is gone is to be set aside, whether that was done in part or not.
            Err(error) => {
                assert!(*self.wish.borrow() == Wish::SET_ASIDE, "{error:?}");
                return json!({"state": "unusable"});
            }
        };
        let serial = status.identity.map(|identity| identity.unique_serial);
        let to_revoke = status.to_revoke.into_iter();
        let to_revoke: Vec<_> = to_revoke.map(|other| other.unique_serial).collect();
        let known = json!({
            "state": status.state,
            "pending": status.pending,
            "unique_serial": serial,
            "to_revoke": (!to_revoke.is_empty()).then_some(to_revoke),
        });
        self.tell(format!("status: {known}"));
        match status.state {
            State::NotEnrolled | State::Enrolling | State::Enrolled => {}
            State::Revoked if self.may_have_ended(&known) => {}
            state => panic!("the device is {state:?}"),
        }
        known
    }

    /// What the command says of the same.
    fn told_status(&self) -> Value {
        let (known, ended) = (self.status(), self.scanner.run(&["status", "--json"]));
        let told: Value = serde_json::from_str(&ended.stdout).unwrap();
        for name in ["state", "pending", "unique_serial"] {
            assert_eq!(told[name], known[name], "{name}");
        }
        assert_eq!(told["to_revoke"].is_null(), known["to_revoke"].is_null());
        let code = match told["state"].as_str().unwrap() {
            "enrolled" => 0,
            "revoked" => 16,
            _ => 13,
        };
        assert_eq!(ended.code, code, "{ended:?}");
        told
    }

    /// Asserts that a command ended in a way that bad weather explains.
    pub fn is_fair(&self, outcome: &Outcome) {
        let fair = match outcome.ended.code {
            -1 => outcome.was_killed,
            0 | 7 | 8 | 14 => true,
            // Something else answered, which a call that is not ours hands on.
            19 => outcome.said.starts_with("gatehand request"),
            16 => self.may_have_ended(&self.status()),
            // It was revoked while its replacement is not enrolled yet.
            13 => {
                let status = self.status();
                status["state"] == "enrolling" && self.may_have_ended(&status)
            }
            _ => false,
        };
        assert!(fair, "it ended with {}", outcome.ended.code);
    }

    /// Asserts that what a command calls done is done at the server, too.
    pub fn was_done(&self, path: &str) {
        let serial = self.status()["unique_serial"].as_str().unwrap().to_owned();
        let device = self.ground.installation.device(self.number(&serial));
        let is_done = match path {
            "/device/revoke" => device["revoked"] == true,
            "/device/update" => device["hardware_model"] == self.model(),
            "/device/initialize" => serial == self.created.borrow().last().unwrap().serial,
            _ => true,
        };
        assert!(is_done && is_initialized(&device), "not done: {device}");
    }

    fn may_have_ended(&self, status: &Value) -> bool {
        let serial = status["unique_serial"].as_str().unwrap();
        self.to_end.borrow().contains(serial)
    }

    /// What the device reports from now on.
    pub fn another_model(&self) -> String {
        self.models.set(self.models.get() + 1);
        self.model()
    }

    fn model(&self) -> String {
        format!("Model {}", self.models.get())
    }

    /// The device that is meant, as the server has it.
    fn at_server(&self) -> Value {
        self.ground.way.settle();
        let number = self.created.borrow().last().unwrap().number;
        self.ground.installation.device(number)
    }

    /// Leaves the device in peace until it is well, and asserts that it is.
    pub fn heal(&self) {
        self.ground.way.heal();
        self.timeout.set(10);
        self.tell("the faults end");
        for _ in 0..TRIES {
            let status = self.status();
            let outcome = match status["state"].as_str().unwrap() {
                "not-enrolled" => {
                    if *self.wish.borrow() != Wish::Adopted {
                        assert!(
                            !is_initialized(&self.at_server()),
                            "the token is used up for nothing"
                        );
                    }
                    self.become_as_wished(Kill::Never)
                }
                "unusable" => self.become_as_wished(Kill::Never),
                "enrolling" => self.run(&["init"], Kill::Never),
                "revoked" if status["to_revoke"].is_null() => break,
                _ => self.run(&["info"], Kill::Never),
            };
            // What was begun before and is asked to wait goes on with a later command.
            let status = self.status();
            let is_settled = status["pending"].is_null() && status["to_revoke"].is_null();
            if outcome.ended.code == 0 && is_settled {
                break;
            }
        }
        self.is_well();
    }

    /// Asserts that vault and server agree on the device, and that no other was touched.
    fn is_well(&self) {
        let status = self.told_status();
        assert_eq!(status["pending"], Value::Null, "nothing is pending");
        assert_eq!(status["to_revoke"], Value::Null, "none is to be revoked");
        let files = self.scanner.files().into_iter();
        let left: Vec<_> = files
            .map(|(path, _)| path)
            .filter(|path| path.extension().is_some_and(|end| end == "new"))
            .collect();
        assert!(left.is_empty(), "left behind: {left:?}");
        let created = self.created.borrow();
        self.ground.way.settle();
        let devices: Vec<Value> = created
            .iter()
            .map(|device| self.ground.installation.device(device.number))
            .collect();
        // Whoever was initialized last is the one, since each gave up the one before it.
        let initialized = devices.iter().filter(|device| is_initialized(device));
        let mine = initialized.clone().next_back().expect("a device");
        assert_eq!(
            status["unique_serial"], mine["unique_serial"],
            "another device"
        );
        let was_to_leave = |device: &&Value| {
            let left = self.to_leave.borrow();
            left.as_deref() == device["unique_serial"].as_str()
        };
        let left = devices.iter().find(was_to_leave);
        let has_come_true = mine["device_id"] == created.last().unwrap().number;
        if let Some(left) = left.filter(|_| has_come_true) {
            assert_eq!(left["revoked"], true, "what was left behind is active");
        }
        self.ground
            .initialized
            .set(self.ground.initialized.get() + initialized.count());
        let state = status["state"].as_str().unwrap();
        match state {
            "enrolled" => {
                assert_eq!(mine["revoked"], false);
                let info = self.run(&["info"], Kill::Never).ended;
                assert_eq!(info.code, 0, "the key does not work");
                for field in [
                    "hardware_brand",
                    "hardware_model",
                    "os_version",
                    "software_version",
                ] {
                    assert_eq!(status["reported"][field], mine[field], "{field}");
                }
            }
            "revoked" => {
                assert_eq!(mine["revoked"], true);
                assert_eq!(self.run(&["info"], Kill::Never).ended.code, 16);
            }
            _ => panic!("it stays {state}"),
        }
        let faults = self.ground.way.record().into_iter();
        self.tally.run(state, faults.map(|exchange| exchange.fault));
    }
}

impl Wish {
    /// To take the place of a device whose vault can't be used any more.
    pub const SET_ASIDE: Self = Self::Enrolled(&["--replace", "--os-version", "new"]);
}

impl PartialEq for Wish {
    fn eq(&self, other: &Self) -> bool {
        match (self, other) {
            (Self::Adopted, Self::Adopted) => true,
            (Self::Enrolled(one), Self::Enrolled(other)) => one == other,
            _ => false,
        }
    }
}

fn is_initialized(device: &Value) -> bool {
    !device["initialized"].is_null()
}
