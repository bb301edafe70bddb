//! The command line.

use std::path::PathBuf;

use clap::{Parser, Subcommand, ValueEnum};

/// Follows kernel mailing lists, lints their patch series, shows and mails the findings
#[derive(Parser)]
#[command(name = "lorelintd", version)]
pub(super) struct Args {
    /// Configuration file; every key can also be set as `LORELINT_SECTION__KEY`
    #[arg(long, global = true, value_name = "FILE", env = "LORELINT_CONFIG")]
    pub(super) config: Option<PathBuf>,
    /// The database, `sqlite:PATH`; default: a file in the state directory
    #[arg(long, global = true, value_name = "ADDRESS")]
    pub(super) database: Option<String>,
    #[command(subcommand)]
    pub(super) command: Command,
}

#[derive(Subcommand)]
pub(super) enum Command {
    /// Show the whole path with nothing set up: a throw-away database, a small built-in tree and list
    Demo {
        /// Where the dashboard listens
        #[arg(long, value_name = "ADDRESS:PORT", default_value = "127.0.0.1:8470")]
        listen: String,
    },
    /// Run the service: all roles in one process, or the named ones
    Serve {
        /// Roles of this process
        #[arg(
            long,
            value_delimiter = ',',
            value_name = "ROLE",
            default_value = "web,ingest,work,mail"
        )]
        role: Vec<Role>,
    },
    /// Read mails of a list into the database and put their series together
    Ingest {
        /// public-inbox:DIR, mbox:FILE, maildir:DIR, an NNTP or IMAP address, or - for standard input
        source: String,
        /// Posting address of the list
        #[arg(long, value_name = "ADDRESS")]
        list: String,
        /// Read what is there and exit; without it an archive or a maildir is followed
        #[arg(long)]
        once: bool,
    },
    /// Store one message from standard input, for a mail server's pipe; exits 75 when it could not be stored
    Deliver {
        /// Posting address of the list
        #[arg(long, value_name = "ADDRESS")]
        list: String,
    },
    /// Work on the queue
    Work {
        /// Exit when no job is due
        #[arg(long)]
        until_idle: bool,
    },
    /// Write what the database holds to standard output
    Export {
        #[command(subcommand)]
        what: Export,
    },
    /// Bring the database to this program's schema
    Migrate,
    /// The configuration
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Tokens with which other programs hand mails over by HTTP
    Token {
        #[command(subcommand)]
        command: TokenCommand,
    },
    /// Replies that wait, and what became of others
    Outbox {
        #[command(subcommand)]
        command: OutboxCommand,
    },
    /// Write a copy of the database while the service runs
    Backup {
        /// A file that does not exist yet
        file: PathBuf,
    },
}

#[derive(Subcommand)]
pub(super) enum Export {
    /// One line a series
    Series {
        #[arg(long, value_enum, default_value = "jsonl")]
        format: ExportFormat,
    },
}

#[derive(Clone, Copy, ValueEnum)]
pub(super) enum ExportFormat {
    Jsonl,
}

#[derive(Subcommand)]
pub(super) enum ConfigCommand {
    /// Check everything and print what is in force
    Check,
}

#[derive(Subcommand)]
pub(super) enum TokenCommand {
    /// Make a token for one list and print it; it is not shown again
    Create {
        /// Posting address of the list
        #[arg(long, value_name = "ADDRESS")]
        list: String,
        /// What to call it in lists of tokens
        #[arg(long, default_value = "")]
        name: String,
    },
    /// One line a token: id, list, name, when it was made, last used, revoked
    List,
    /// Let a token be accepted no more
    Revoke { id: String },
}

#[derive(Subcommand)]
pub(super) enum OutboxCommand {
    /// One line a reply, newest first; with an id the whole reply
    List {
        /// Only this state, such as pending
        #[arg(long)]
        state: Option<String>,
        /// Print this reply as it would go out
        id: Option<String>,
    },
    /// Let a pending reply go out
    Approve { id: String },
    /// Decide against a pending reply
    Reject { id: String },
}

/// A part of the service that a process may run.
#[derive(Clone, Copy, Debug, PartialEq, Eq, ValueEnum)]
pub(super) enum Role {
    /// The dashboard and the API
    Web,
    /// Reading the sources of all lists
    Ingest,
    /// Linting
    Work,
    /// Sending replies
    Mail,
}
