use echorift_storage::{Cells, Change, Database, Row, Statement, StorageError, Timestamp};
use serde_json::Value;

use crate::audit::{Act, AuditEntry, AuditQuery};

static INSERT: Statement = Statement::insert(
    "INSERT INTO audit_log (audit_number, at_ts, administrator, action, target, reason, details)
     SELECT CAST(value ->> 0 AS BIGINT), CAST(value ->> 1 AS BIGINT), value ->> 2, value ->> 3, value ->> 4,
            value ->> 5, value ->> 6
       FROM json_each($1)",
);

pub(crate) fn insert(change: &mut Change, number: i64, now: Timestamp, act: &Act) {
    let details = Value::Object(act.details.clone()).to_string();
    let cells = Cells::new()
        .with(number)
        .with(now)
        .with(act.administrator.as_str())
        .with(act.action)
        .with(&act.target)
        .with(act.reason.as_ref())
        .with(details);
    change.write(&INSERT, cells);
}

pub(crate) async fn page(database: &Database, query: &AuditQuery) -> Result<Vec<AuditEntry>, StorageError> {
    const SQL: &str = "
        SELECT audit_number, at_ts, administrator, action, target, reason, details FROM audit_log
         WHERE audit_number < $1
           AND (CAST($2 AS TEXT) IS NULL OR administrator = $2)
           AND (CAST($3 AS TEXT) IS NULL OR action = $3)
           AND (CAST($4 AS TEXT) IS NULL OR target = $4)
         ORDER BY audit_number DESC LIMIT $5";
    let values = [
        query.before.unwrap_or(i64::MAX).into(),
        query.administrator.clone().into(),
        query.action.clone().into(),
        query.target.clone().into(),
        i64::from(query.limit).into(),
    ];
    let rows = database.fetch_all(SQL, &values).await?;
    rows.iter().map(read).collect()
}

fn read(row: &Row) -> Result<AuditEntry, StorageError> {
    let details = row.text(6)?;
    Ok(AuditEntry {
        number: row.int(0)?,
        at: Timestamp(row.int(1)?),
        administrator: row.text(2)?,
        action: row.text(3)?,
        target: row.text(4)?,
        reason: row.optional_text(5)?,
        details: serde_json::from_str(&details)
            .map_err(|error| StorageError::corrupt("audit_log.details", error))?,
    })
}
