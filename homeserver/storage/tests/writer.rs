//! The writer, the log and the helpers around them, on both databases.
#![allow(clippy::unwrap_used, clippy::expect_used, clippy::panic, reason = "tests")]

mod support;

use std::sync::{Arc, Mutex};

use echorift_storage::{
    Cells, Chain, Change, Database, LogListener, Names, Position, Record, RoomNumber, Sequence, Statement,
    StorageError, UserNumber, list,
};
use support::on_each_database;

static ADD: Statement = Statement::insert(
    "INSERT INTO user_numbers (user_number, user_id)
     SELECT CAST(value ->> 0 AS BIGINT), value ->> 1 FROM json_each($1)",
);

fn add(number: i64, name: &str) -> Change {
    let mut change = Change::new();
    change.write(&ADD, Cells::new().with(number).with(name));
    change.record(Record::AccountData {
        user: UserNumber(number),
    });
    change
}

#[derive(Default)]
struct Heard(Mutex<Vec<(Position, Record)>>);

impl Heard {
    /// One who hears from now on what is recorded there.
    fn all_of(database: &Database) -> Arc<Self> {
        let heard = Arc::new(Self::default());
        let listener = Arc::clone(&heard) as Arc<dyn LogListener>;
        assert!(database.log().listen(vec![listener]));
        heard
    }
}

impl LogListener for Heard {
    fn on_records(&self, records: &[(Position, Record)]) {
        self.0.lock().unwrap().extend_from_slice(records);
    }
}

#[tokio::test(flavor = "multi_thread")]
async fn records_are_told_in_the_order_of_their_positions_before_the_answer() {
    on_each_database(async |database| {
        let heard = Heard::all_of(&database);
        let writers = (1..=200).map(|number| {
            let database = database.clone();
            tokio::spawn(async move {
                database
                    .writer()
                    .commit(add(number, &format!("@{number}:x")))
                    .await
            })
        });
        for writer in writers.collect::<Vec<_>>() {
            writer.await.unwrap().unwrap();
        }
        let heard = heard.0.lock().unwrap();
        let positions: Vec<i64> = heard.iter().map(|(position, _)| position.0).collect();
        assert_eq!(positions, (1..=200).collect::<Vec<_>>());
        assert_eq!(database.log().visible(), Position(200));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn positions_that_are_left_free_stay_free() {
    static PLACE: Statement = Statement::insert(
        "INSERT INTO user_numbers (user_number, user_id)
         SELECT CAST(value ->> 1 AS BIGINT), value ->> 0 FROM json_each($1)",
    );
    on_each_database(async |database| {
        let heard = Heard::all_of(&database);
        database.writer().commit(add(1, "@a:x")).await.unwrap();
        let first = Arc::new(Mutex::new(Position(0)));
        let mut change = Change::new();
        let user = UserNumber(9);
        let before = change.record(Record::AccountData { user });
        change.leave_positions(1_000);
        let after = change.record(Record::AccountData { user });
        change.write_at(&PLACE, Cells::new().with("@before:x"), before);
        change.write_at(&PLACE, Cells::new().with("@after:x"), after);
        let told = Arc::clone(&first);
        change.on_commit(move |first| *told.lock().unwrap() = first);
        database.writer().commit(change).await.unwrap();
        database.writer().commit(add(3, "@c:x")).await.unwrap();
        let first = *first.lock().unwrap();
        assert_eq!(
            (before.position(first), after.position(first)),
            (Position(2), Position(1_003))
        );
        let heard: Vec<i64> = heard
            .0
            .lock()
            .unwrap()
            .iter()
            .map(|(position, _)| position.0)
            .collect();
        assert_eq!(heard, [1, 2, 1_003, 1_004]);
        assert_eq!(database.log().visible(), Position(1_004));
        let sql =
            "SELECT user_number FROM user_numbers WHERE user_id IN ('@before:x', '@after:x') ORDER BY 1";
        let rows = database.fetch_all(sql, &[]).await.unwrap();
        let placed: Vec<i64> = rows.iter().map(|row| row.int(0).unwrap()).collect();
        assert_eq!(placed, [2, 1_003]);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn what_is_built_on_a_failed_change_fails_too() {
    on_each_database(async |database| {
        database.writer().commit(add(1, "@a:x")).await.unwrap();
        let chain = Chain::new();
        let mut doubled = add(1, "@b:x");
        doubled.chain(&chain);
        let mut after = add(2, "@c:x");
        after.chain(&chain);
        let first = database.writer().submit(doubled).await;
        assert!(matches!(first.done().await, Err(StorageError::Database(_))));
        assert!(chain.is_broken());
        let second = database.writer().submit(after).await;
        assert!(matches!(second.done().await, Err(StorageError::ChainBroken)));
        database
            .writer()
            .commit(add(3, "@d:x"))
            .await
            .expect("others go on");
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_step_that_fails_leaves_nothing() {
    on_each_database(async |database| {
        let failed: Result<(), StorageError> = database
            .writer()
            .transact(|tx| {
                Box::pin(async move {
                    tx.apply(add(7, "@g:x")).await?;
                    Err(StorageError::corrupt("test", "no"))
                })
            })
            .await;
        assert!(failed.is_err());
        let rows = database
            .fetch_all("SELECT user_number FROM user_numbers", &[])
            .await
            .unwrap();
        assert!(rows.is_empty());
        assert_eq!(database.log().visible(), Position(0));
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn numbers_are_given_out_once_also_to_many_at_a_time() {
    on_each_database(async |database| {
        let sequence = Arc::new(Sequence::new("test", &database));
        let takers = (0..8).map(|_| {
            let sequence = Arc::clone(&sequence);
            tokio::spawn(async move {
                let mut taken = Vec::new();
                for _ in 0..400 {
                    taken.push(sequence.next().await.unwrap());
                }
                taken
            })
        });
        let mut all = Vec::new();
        for taker in takers.collect::<Vec<_>>() {
            all.extend(taker.await.unwrap());
        }
        let again = Sequence::new("test", &database);
        all.push(again.next().await.unwrap());
        let count = all.len();
        all.sort_unstable();
        all.dedup();
        assert_eq!(all.len(), count);
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn a_name_has_one_number_for_everyone() {
    on_each_database(async |database| {
        let (names, others) = (Names::rooms(&database), Names::rooms(&database));
        let number = names.intern("!a:x").await.unwrap();
        assert_eq!(others.intern("!a:x").await.unwrap(), number);
        assert_eq!(others.find("!b:x").await.unwrap(), None);
        assert_eq!(&*others.name(number).await.unwrap(), "!a:x");
        assert!(others.name(number + 1).await.is_err());
    })
    .await;
}

#[tokio::test(flavor = "multi_thread")]
async fn lists_and_texts_of_any_kind_survive() {
    on_each_database(async |database| {
        let odd = [
            "",
            "quote \" and ' and \\",
            "ü \u{1F600}",
            "[1,\"x\"]",
            "line\nbreak",
        ];
        for (number, text) in (1..).zip(odd) {
            database.writer().commit(add(number, text)).await.unwrap();
        }
        const SQL: &str = "SELECT user_id FROM user_numbers
             WHERE user_id IN (SELECT value ->> 0 FROM json_each($1)) ORDER BY user_number";
        let rows = database.fetch_all(SQL, &[list(odd)]).await.unwrap();
        let found: Vec<String> = rows.iter().map(|row| row.text(0).unwrap()).collect();
        assert_eq!(found, odd);
        let none = database
            .fetch_all(SQL, &[list(Vec::<RoomNumber>::new())])
            .await
            .unwrap();
        assert!(none.is_empty());
    })
    .await;
}
