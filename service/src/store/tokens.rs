//! Tokens: only their hashes are here.

use super::sql::{Columns, clean, failed, statements};
use super::{Batch, Result, Store, StoreError};
use crate::model::{ListId, ListPolicy, Timestamp, Token, TokenId};

statements! {
    ADD = "INSERT INTO token (list, name, hash, created_at) VALUES ($1, $2, $3, $4) RETURNING id";
    TOKENS = "SELECT t.id, l.address, t.name, t.created_at, t.used_at, t.revoked_at \
        FROM token t JOIN list l ON l.id = t.list ORDER BY t.id";
    ACCEPT = "SELECT t.id, t.list, l.address FROM token t JOIN list l ON l.id = t.list \
        WHERE t.hash = $1 AND t.revoked_at IS NULL";
    USED = "UPDATE token SET used_at = $1 WHERE id = $2";
    REVOKE = "UPDATE token SET revoked_at = COALESCE(revoked_at, $1) WHERE id = $2";
}

/// A token that was accepted.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AcceptedToken {
    /// The row.
    pub id: TokenId,
    /// The list that it is for.
    pub list: ListId,
    /// The list's address.
    pub address: String,
}

impl Store {
    /// Keeps the hash of a new token for a list, which begins to exist here if need be.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database cannot be written.
    pub async fn add_token(
        &self,
        list: &str,
        name: &str,
        hash: [u8; 32],
        now: Timestamp,
    ) -> Result<TokenId> {
        let mut batch = self.batch().await?;
        let list = batch.ensure_list(list, ListPolicy::Silent).await?;
        let id = sqlx::query_scalar(ADD)
            .bind(list.0)
            .bind(clean(name))
            .bind(hash.to_vec())
            .bind(now.0)
            .fetch_one(&mut *batch.transaction)
            .await
            .map_err(failed("adding a token"))?;
        batch.commit().await?;
        Ok(TokenId(id))
    }

    /// All tokens, oldest first.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database cannot be read.
    pub async fn tokens(&self) -> Result<Vec<Token>> {
        let rows = sqlx::query(TOKENS)
            .fetch_all(&self.readers)
            .await
            .map_err(failed("reading the tokens"))?;
        rows.iter()
            .map(|row| {
                let mut columns = Columns::new(row);
                Ok(Token {
                    id: TokenId(columns.take()?),
                    list: columns.take()?,
                    name: columns.take()?,
                    created_at: columns.time()?,
                    used_at: columns.take::<Option<i64>>()?.map(Timestamp),
                    revoked_at: columns.take::<Option<i64>>()?.map(Timestamp),
                })
            })
            .collect()
    }

    /// The token with this hash; `None` where there is none, or it was revoked.
    ///
    /// # Errors
    ///
    /// [`StoreError`] when the database cannot be read.
    pub async fn accept_token(&self, hash: [u8; 32]) -> Result<Option<AcceptedToken>> {
        let row = sqlx::query(ACCEPT)
            .bind(hash.to_vec())
            .fetch_optional(&self.readers)
            .await
            .map_err(failed("looking for a token"))?;
        let Some(row) = row else { return Ok(None) };
        let mut columns = Columns::new(&row);
        Ok(Some(AcceptedToken {
            id: TokenId(columns.take()?),
            list: ListId(columns.take()?),
            address: columns.take()?,
        }))
    }

    /// Lets a token be accepted no more.
    ///
    /// # Errors
    ///
    /// [`StoreError::NotFound`] when there is no such token.
    pub async fn revoke_token(&self, id: TokenId, now: Timestamp) -> Result<()> {
        let doing = "revoking a token";
        let mut transaction = self.write().await?;
        let done = sqlx::query(REVOKE)
            .bind(now.0)
            .bind(id.0)
            .execute(&mut *transaction)
            .await
            .map_err(failed(doing))?;
        if done.rows_affected() == 0 {
            return Err(StoreError::NotFound {
                what: "token",
                id: id.to_string(),
            });
        }
        transaction.commit().await.map_err(failed(doing))
    }
}

impl Batch {
    /// Notes that a token was used.
    ///
    /// # Errors
    ///
    /// [`StoreError`]; the batch is then of no use any more.
    pub async fn use_token(&mut self, id: TokenId, now: Timestamp) -> Result<()> {
        sqlx::query(USED)
            .bind(now.0)
            .bind(id.0)
            .execute(&mut *self.transaction)
            .await
            .map_err(failed("noting the use of a token"))?;
        Ok(())
    }
}
