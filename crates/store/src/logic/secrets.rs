//! What all servers on one store share and nobody else may know.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;

use crate::StoreError;
use crate::session::Session;

const KEEP: &str = "
insert into secret (name, value)
values ($1, $2)
on conflict (name) do nothing";

const READ: &str = "
select value
from secret
where name = $1";

pub(crate) async fn secret(
    session: &mut impl Session,
    name: &str,
    fresh: &[u8],
) -> Result<Vec<u8>, StoreError> {
    let values = vec![name.into(), STANDARD.encode(fresh).into()];
    session.execute(session.dialect().text(KEEP, values)).await?;
    let damaged = || StoreError::Damaged { what: format!("the secret '{name}'") };
    let row = session.optional(session.dialect().text(READ, vec![name.into()])).await?;
    let text = row.ok_or_else(damaged)?.text(0)?;
    STANDARD.decode(text).map_err(|_| damaged())
}
