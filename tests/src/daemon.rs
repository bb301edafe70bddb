//! Real servers on loopback with throw-away directories. Where one is not installed, the test is skipped loudly.

use std::fmt::Write as _;
use std::io::{BufRead as _, BufReader, Write as _};
use std::net::{TcpListener, TcpStream};
use std::os::unix::fs::{MetadataExt as _, PermissionsExt as _};
use std::path::{Path, PathBuf};
use std::process::{Child, Command, Stdio};
use std::time::{Duration, Instant};

use crate::material::skipped;

/// For a server to answer, on a machine that does much else.
const START_TIMEOUT: Duration = Duration::from_mins(2);
/// `nobody` and `nogroup` of Debian.
const NOBODY: u32 = 65_534;

/// A process that ends with this value.
pub struct Daemon {
    child: Child,
}

impl Drop for Daemon {
    fn drop(&mut self) {
        // On SIGTERM they stop their own children, too.
        let pid = self.child.id().to_string();
        drop(Command::new("kill").arg(pid).status());
        drop(self.child.wait());
    }
}

/// A port that nothing listens on.
///
/// # Panics
///
/// When the system has none.
pub fn free_port() -> u16 {
    let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
    listener.local_addr().expect("it is bound").port()
}

/// The program, in `PATH` or where Debian keeps servers; says loudly when it is not installed.
pub fn installed(name: &str, package: &str) -> Option<PathBuf> {
    let path = std::env::var_os("PATH").unwrap_or_default();
    let found = std::env::split_paths(&path)
        .chain(["/usr/sbin".into()])
        .map(|it| it.join(name))
        .find(|it| it.is_file());
    if found.is_none() {
        skipped(&format!(
            "{name} is not installed: apt-get install {package}"
        ));
    }
    found
}

/// Whether this process may become other users; says loudly when not.
pub fn is_root(what: &str) -> bool {
    let is_root = std::fs::metadata("/proc/self").is_ok_and(|it| it.uid() == 0);
    if !is_root {
        skipped(&format!("{what} is started as root only"));
    }
    is_root
}

/// Gives a file or directory to `nobody`.
///
/// # Panics
///
/// When that is not allowed.
pub fn give_away(path: &Path) {
    std::os::unix::fs::chown(path, Some(NOBODY), Some(NOBODY)).expect("root gives files away");
}

/// Lets everyone in: servers that change their user have to reach what is below.
///
/// # Panics
///
/// When the directory is another user's.
pub fn open_up(path: &Path) {
    std::fs::set_permissions(path, std::fs::Permissions::from_mode(0o777))
        .expect("an own directory");
}

#[track_caller]
fn start(mut command: Command, port: u16) -> Daemon {
    let child = command
        .stdin(Stdio::null())
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .spawn()
        .expect("an installed server starts");
    let daemon = Daemon { child };
    let start = Instant::now();
    while TcpStream::connect(("127.0.0.1", port)).is_err() {
        assert!(
            start.elapsed() < START_TIMEOUT,
            "{command:?} does not answer"
        );
        std::thread::sleep(Duration::from_millis(50));
    }
    daemon
}

/// An archive with the index that public-inbox's servers read.
pub struct PublicInbox {
    home: PathBuf,
    archive: PathBuf,
}

impl PublicInbox {
    /// Indexes `archive` as the inbox `test` with the news group `inbox.test`.
    ///
    /// # Panics
    ///
    /// When public-inbox does not take the archive.
    pub fn new(home: &Path, archive: &Path) -> Option<Self> {
        installed("public-inbox-init", "public-inbox")?;
        installed("public-inbox-nntpd", "public-inbox")?;
        let inbox = Self {
            home: home.to_owned(),
            archive: archive.to_owned(),
        };
        let status = inbox
            .command("public-inbox-init")
            .args(["-V2", "-L", "basic", "--ng", "inbox.test", "test"])
            .arg(archive)
            .args(["http://127.0.0.1/test", "list@lists.example"])
            .stderr(Stdio::null())
            .status();
        assert!(status.is_ok_and(|it| it.success()), "public-inbox-init");
        inbox.index();
        Some(inbox)
    }

    /// Takes up what was added to the archive.
    ///
    /// # Panics
    ///
    /// When public-inbox does not take it.
    pub fn index(&self) {
        let mut command = self.command("public-inbox-index");
        let status = command.args(["-L", "basic"]).arg(&self.archive).status();
        assert!(status.is_ok_and(|it| it.success()), "public-inbox-index");
    }

    /// Starts one of `nntp`, `imap` and `http`; returns its port, too.
    pub fn serve(&self, protocol: &str) -> (Daemon, u16) {
        let port = free_port();
        let mut command = self.command(&format!("public-inbox-{protocol}d"));
        command.args(["-l", &format!("{protocol}://127.0.0.1:{port}")]);
        (start(command, port), port)
    }

    fn command(&self, name: &str) -> Command {
        let mut command = Command::new(name);
        command
            .env("HOME", &self.home)
            .env("PI_CONFIG", self.home.join("pi-config"));
        command
    }
}

/// An IMAP server with the user `me`, the password `se"cret` and one folder.
pub struct Dovecot {
    /// Of the folder INBOX.
    pub maildir: PathBuf,
    /// Plain.
    pub port: u16,
    /// With TLS from the first byte.
    pub tls_port: u16,
    /// Its own certificate, for `localhost`.
    pub certificate: PathBuf,
    _daemon: Daemon,
}

impl Dovecot {
    /// The password of `me`.
    pub const PASSWORD: &'static str = "se\"cret";

    /// Starts it in `dir`, which everyone may then enter.
    ///
    /// # Panics
    ///
    /// When it is installed and does not start.
    pub fn start(dir: &Path) -> Option<Self> {
        let program = installed("dovecot", "dovecot-imapd")?;
        installed("openssl", "openssl")?;
        if !is_root("dovecot") {
            return None;
        }
        open_up(dir);
        let maildir = dir.join("Maildir");
        for folder in ["", "new", "cur", "tmp"] {
            std::fs::create_dir_all(maildir.join(folder)).expect("a directory can be made");
            give_away(&maildir.join(folder));
        }
        let key = Command::new("openssl")
            .args([
                "req",
                "-x509",
                "-newkey",
                "ec",
                "-pkeyopt",
                "ec_paramgen_curve:prime256v1",
            ])
            .args([
                "-nodes", "-keyout", "key.pem", "-out", "cert.pem", "-days", "30",
            ])
            .args([
                "-subj",
                "/CN=localhost",
                "-addext",
                "subjectAltName=DNS:localhost",
            ])
            .args(["-addext", "basicConstraints=critical,CA:FALSE"])
            .current_dir(dir)
            .stderr(Stdio::null())
            .status();
        assert!(key.is_ok_and(|it| it.success()), "openssl");
        let (port, tls_port) = (free_port(), free_port());
        std::fs::write(
            dir.join("passwd"),
            format!("me:{{PLAIN}}{}\n", Self::PASSWORD),
        )
        .expect("a file can be written");
        let config = dovecot_config(&dir.display().to_string(), port, tls_port);
        let file = dir.join("dovecot.conf");
        std::fs::write(&file, config).expect("a file can be written");
        let mut command = Command::new(program);
        command.arg("-F").arg("-c").arg(&file);
        Some(Self {
            maildir,
            port,
            tls_port,
            certificate: dir.join("cert.pem"),
            _daemon: start(command, port),
        })
    }

    /// Puts a mail into the folder, as a mail server delivers it.
    ///
    /// # Panics
    ///
    /// When the file cannot be written.
    pub fn deliver(&self, name: &str, mail: &[u8]) {
        let draft = self.maildir.join("tmp").join(name);
        std::fs::write(&draft, mail).expect("a file can be written");
        give_away(&draft);
        std::fs::rename(draft, self.maildir.join("new").join(name)).expect("the same directory");
    }
}

fn dovecot_config(dir: &str, port: u16, tls_port: u16) -> String {
    format!(
        "base_dir = {dir}/run\nstate_dir = {dir}/state\nlog_path = {dir}/dovecot.log\nprotocols = imap\n\
         listen = 127.0.0.1\nssl = yes\nssl_cert = <{dir}/cert.pem\nssl_key = <{dir}/key.pem\n\
         disable_plaintext_auth = no\nmail_location = maildir:{dir}/Maildir\ndefault_login_user = nobody\n\
         default_internal_user = nobody\ndefault_internal_group = nogroup\nfirst_valid_uid = 1\n\
         passdb {{\n driver = passwd-file\n args = {dir}/passwd\n}}\n\
         userdb {{\n driver = static\n args = uid={NOBODY} gid={NOBODY} home={dir}\n}}\n\
         service imap-login {{\n chroot =\n inet_listener imap {{\n port = {port}\n }}\n\
         inet_listener imaps {{\n port = {tls_port}\n ssl = yes\n }}\n}}\nservice anvil {{\n chroot =\n}}\n"
    )
}

/// A mail server that hands mail for `lists.example` to a program.
pub struct Postfix {
    /// Where it takes mail.
    pub port: u16,
    dir: PathBuf,
}

impl Postfix {
    /// Starts it in `dir`, which everyone may then enter; `program` gets each mail on standard input.
    ///
    /// # Panics
    ///
    /// When it is installed and does not start.
    pub fn start(dir: &Path, program: &Path) -> Option<Self> {
        installed("postfix", "postfix")?;
        if !is_root("postfix") {
            return None;
        }
        open_up(dir);
        let port = free_port();
        for folder in ["conf", "queue", "data"] {
            std::fs::create_dir_all(dir.join(folder)).expect("a directory can be made");
        }
        let owner = Command::new("chown")
            .arg("postfix")
            .arg(dir.join("data"))
            .status();
        assert!(owner.is_ok_and(|it| it.success()), "chown");
        let text = dir.display().to_string();
        let main = format!(
            "compatibility_level = 3.6\nqueue_directory = {text}/queue\ndata_directory = {text}/data\n\
             mail_owner = postfix\nsetgid_group = postdrop\ninet_interfaces = 127.0.0.1\ninet_protocols = ipv4\n\
             myhostname = mx.lorelint.example\nmydestination =\nlocal_recipient_maps =\nalias_maps =\n\
             relay_domains = lists.example\ntransport_maps = inline:{{lists.example=lorelint:}}\n\
             smtpd_relay_restrictions = permit_mynetworks, reject\nmaillog_file = {text}/postfix.log\n\
             maillog_file_prefixes = /tmp, /var\nminimal_backoff_time = 1s\nmaximal_backoff_time = 1s\n\
             queue_run_delay = 1s\n"
        );
        std::fs::write(dir.join("conf/main.cf"), main).expect("a file can be written");
        let mut master = String::new();
        for (service, middle, program) in POSTFIX_SERVICES {
            let service = service.replace("PORT", &port.to_string());
            writeln!(master, "{service} {middle} {program}").expect("writing to a string");
        }
        let program = program.display();
        write!(
            master,
            "lorelint unix - n n - - pipe\n  flags= user=nobody argv={program}\n"
        )
        .expect("writing to a string");
        std::fs::write(dir.join("conf/master.cf"), master).expect("a file can be written");
        std::fs::write(dir.join("conf/dynamicmaps.cf"), "").expect("a file can be written");
        let started = postfix(dir, "start");
        assert!(started, "postfix start; see {text}/postfix.log");
        Some(Self {
            port,
            dir: dir.to_owned(),
        })
    }

    /// Hands a mail to it; says whether it took it.
    ///
    /// # Panics
    ///
    /// When it does not answer.
    pub fn submit(&self, mail: &[u8]) -> bool {
        let start = Instant::now();
        let stream = loop {
            match TcpStream::connect(("127.0.0.1", self.port)) {
                Ok(stream) => break stream,
                Err(error) => assert!(start.elapsed() < START_TIMEOUT, "postfix: {error}"),
            }
            std::thread::sleep(Duration::from_millis(50));
        };
        let mut lines = BufReader::new(stream.try_clone().expect("a socket")).lines();
        let mut stream = stream;
        let mut answer = || lines.next().and_then(Result::ok).unwrap_or_default();
        answer();
        for line in [
            "HELO test",
            "MAIL FROM:<a@x.example>",
            "RCPT TO:<list@lists.example>",
            "DATA",
        ] {
            stream
                .write_all(format!("{line}\r\n").as_bytes())
                .expect("postfix reads");
            answer();
        }
        let text = String::from_utf8_lossy(mail).replace('\n', "\r\n");
        stream
            .write_all(format!("{text}\r\n.\r\n").as_bytes())
            .expect("postfix reads");
        let taken = answer();
        stream.write_all(b"QUIT\r\n").expect("postfix reads");
        taken.starts_with("250")
    }
}

/// Service; kind, private, unprivileged, chroot, wakeup, how many; program. Some must be one process only.
const POSTFIX_SERVICES: &[(&str, &str, &str)] = &[
    ("PORT", "inet n - n - -", "smtpd"),
    ("pickup", "unix n - n 60 1", "pickup"),
    ("cleanup", "unix n - n - 0", "cleanup"),
    ("qmgr", "unix n - n 300 1", "qmgr"),
    ("rewrite", "unix - - n - -", "trivial-rewrite"),
    ("bounce", "unix - - n - 0", "bounce"),
    ("defer", "unix - - n - 0", "bounce"),
    ("trace", "unix - - n - 0", "bounce"),
    ("anvil", "unix - - n - 1", "anvil"),
    ("scache", "unix - - n - 1", "scache"),
    ("error", "unix - - n - -", "error"),
    ("retry", "unix - - n - -", "error"),
    ("proxymap", "unix - - n - -", "proxymap"),
    ("postlog", "unix-dgram n - n - 1", "postlogd"),
];

fn postfix(dir: &Path, command: &str) -> bool {
    let status = Command::new("postfix")
        .arg("-c")
        .arg(dir.join("conf"))
        .arg(command)
        .stdout(Stdio::null())
        .stderr(Stdio::null())
        .status();
    status.is_ok_and(|it| it.success())
}

impl Drop for Postfix {
    fn drop(&mut self) {
        postfix(&self.dir, "stop");
    }
}

/// A server that sends what its script says, and then hangs up; one script a connection.
pub struct Scripted {
    /// Where it listens.
    pub port: u16,
    thread: Option<std::thread::JoinHandle<Vec<String>>>,
}

/// One line of a script: how often to wait for a line of the client, then what to send.
pub type Exchange<'a> = (usize, &'a [u8]);

impl Scripted {
    /// Listens; plays `scripts` one connection after the other.
    ///
    /// # Panics
    ///
    /// When loopback has no port.
    pub fn new(scripts: &[&[Exchange<'_>]]) -> Self {
        let listener = TcpListener::bind("127.0.0.1:0").expect("loopback has a free port");
        let port = listener.local_addr().expect("it is bound").port();
        let scripts: Vec<Vec<(usize, Vec<u8>)>> = scripts
            .iter()
            .map(|script| script.iter().map(|it| (it.0, it.1.to_vec())).collect())
            .collect();
        let thread = std::thread::spawn(move || {
            let mut heard = Vec::new();
            for script in scripts {
                let Ok((mut stream, _)) = listener.accept() else {
                    break;
                };
                let mut lines = BufReader::new(stream.try_clone().expect("a socket")).lines();
                for (count, bytes) in script {
                    heard.extend((&mut lines).take(count).map_while(Result::ok));
                    // A client that has heard enough hangs up.
                    if stream.write_all(&bytes).is_err() {
                        break;
                    }
                }
            }
            heard
        });
        Self {
            port,
            thread: Some(thread),
        }
    }

    /// The lines of all clients, when all scripts were played.
    ///
    /// # Panics
    ///
    /// When it is asked twice.
    pub fn heard(mut self) -> Vec<String> {
        let thread = self.thread.take().expect("asked once");
        thread.join().expect("the script does not panic")
    }
}
