//! What the operator must know.

use ::alerts::Scope;
use chrono::{DateTime, Utc};

use super::{out_of_scope, whole_partner};
use crate::session::{Row, Session};
use crate::sql::scalar::microseconds;
use crate::{Notice, StoreError};

const OPEN: &str = "
select raised_at
from notice
where partner_tenant_id = $1 and kind = $2 and subject = $3 and cleared_at is null";

const RAISE: &str = "
insert into notice (partner_tenant_id, kind, subject, text, raised_at)
values ($1, $2, $3, $4, $5)
on conflict (partner_tenant_id, kind, subject) do update set
    text = excluded.text,
    raised_at = case when notice.cleared_at is null then notice.raised_at else excluded.raised_at end,
    cleared_at = null";

const CLEAR: &str = "
update notice set cleared_at = $4
where partner_tenant_id = $1 and kind = $2 and subject = $3 and cleared_at is null";

const LIST: &str = "
select kind, subject, text, raised_at, cleared_at
from notice
where partner_tenant_id = $1 {only}
order by raised_at, kind, subject";

pub(crate) async fn raise(
    session: &mut impl Session,
    scope: &Scope,
    notice: &Notice,
) -> Result<bool, StoreError> {
    let partner = whole_partner(scope).ok_or_else(|| out_of_scope(scope.partner()))?;
    let key = || vec![partner.as_str().into(), notice.kind.as_str().into(), notice.subject.as_str().into()];
    let was_open = session.optional(session.dialect().text(OPEN, key())).await?.is_some();
    let mut values = key();
    values.push(notice.text.as_str().into());
    values.push(microseconds(notice.raised_at).into());
    session.put(session.dialect().text(RAISE, values)).await?;
    Ok(!was_open)
}

pub(crate) async fn clear(
    session: &mut impl Session,
    scope: &Scope,
    kind: &str,
    subject: &str,
    at: DateTime<Utc>,
) -> Result<bool, StoreError> {
    let partner = whole_partner(scope).ok_or_else(|| out_of_scope(scope.partner()))?;
    let values = vec![partner.as_str().into(), kind.into(), subject.into(), microseconds(at).into()];
    Ok(session.execute(session.dialect().text(CLEAR, values)).await? > 0)
}

pub(crate) async fn list(
    session: &mut impl Session,
    scope: &Scope,
    also_cleared: bool,
) -> Result<Vec<Notice>, StoreError> {
    let Some(partner) = whole_partner(scope) else { return Ok(Vec::new()) };
    let sql = LIST.replace("{only}", if also_cleared { "" } else { "and cleared_at is null" });
    let rows = session.rows(session.dialect().text(&sql, vec![partner.as_str().into()])).await?;
    rows.into_iter().map(read).collect()
}

fn read(mut row: Row) -> Result<Notice, StoreError> {
    Ok(Notice {
        kind: row.text(0)?,
        subject: row.text(1)?,
        text: row.text(2)?,
        raised_at: row.time(3)?,
        cleared_at: row.opt_time(4)?,
    })
}
