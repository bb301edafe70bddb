//! `token`: who may hand mails over by HTTP.

use anyhow::{Context as _, Result};

use super::args::TokenCommand;
use super::ingest::check_address;
use super::{Io, OK, now};
use crate::ingest::{new_token, token_hash};
use crate::model::TokenId;
use crate::store::Store;

pub(super) async fn run(store: &Store, command: TokenCommand, io: &mut Io) -> Result<u8> {
    match command {
        TokenCommand::Create { list, name } => {
            check_address(&list)?;
            let token = new_token().context("asking the system for random bytes")?;
            let id = store
                .add_token(&list, &name, token_hash(&token), now())
                .await?;
            writeln!(io.output, "{token}")?;
            writeln!(
                io.errors,
                "token {id} for {list}; it is not shown again, `lorelintd token revoke {id}` ends it"
            )?;
        }
        TokenCommand::List => {
            for token in store.tokens().await? {
                let time = |at: Option<crate::model::Timestamp>| {
                    at.map_or_else(|| "never".to_owned(), |it| it.to_string())
                };
                writeln!(
                    io.output,
                    "{}\t{}\t{}\t{}\tused {}\trevoked {}",
                    token.id,
                    token.list,
                    token.name,
                    token.created_at,
                    time(token.used_at),
                    time(token.revoked_at)
                )?;
            }
        }
        TokenCommand::Revoke { id } => {
            let id = TokenId::parse(&id).with_context(|| {
                format!("{id:?} is no id of a token; `lorelintd token list` shows them")
            })?;
            store.revoke_token(id, now()).await?;
            writeln!(io.output, "token {id} is revoked")?;
        }
    }
    store.close().await;
    Ok(OK)
}
