//! Which samples of whom are done with and have not been told so.

use super::{Counted, lock};
use crate::telemetry::receipts::Ranges;
use std::collections::HashMap;
use std::sync::{Arc, Condvar, Mutex, PoisonError};
use std::time::Duration;

/// Publishers that are told at once; as many as are followed ([`crate::telemetry::sequence`]).
const PUBLISHERS: usize = 1024;

/// Receipts that are to be written. What is in it takes no more room than the publishers have gaps.
#[derive(Debug, Default)]
pub struct ReceiptBook {
    open: Mutex<HashMap<Arc<str>, Ranges>>,
    more: Condvar,
}

impl ReceiptBook {
    /// These are done with.
    pub fn done<'a>(&self, counted: impl IntoIterator<Item = &'a Counted>) {
        let mut open = lock(&self.open);
        let mut any = false;
        for c in counted {
            any = true;
            let full = open.len() >= PUBLISHERS;
            match open.get_mut(&c.publisher) {
                Some(ranges) => ranges.add(c.from, c.to),
                // Who is not told sends again, and is told then.
                None if full => {}
                None => {
                    let ranges: Ranges = std::iter::once([c.from, c.to]).filter(|[from, to]| from < to).collect();
                    open.insert(Arc::clone(&c.publisher), ranges);
                }
            }
        }
        drop(open);
        if any {
            self.more.notify_all();
        }
    }

    /// Takes all that is in it; waits for something, `patience` at most.
    pub fn take(&self, patience: Duration) -> Vec<(Arc<str>, Ranges)> {
        let open = lock(&self.open);
        let (mut open, _) = self
            .more
            .wait_timeout_while(open, patience, |open| open.is_empty())
            .unwrap_or_else(PoisonError::into_inner);
        let mut taken: Vec<(Arc<str>, Ranges)> = open.drain().collect();
        taken.sort_by(|a, b| a.0.cmp(&b.0));
        taken
    }

    /// Puts something back that could not be told.
    pub fn put_back(&self, publisher: Arc<str>, ranges: &Ranges) {
        lock(&self.open).entry(publisher).or_default().extend(ranges);
    }

    /// True when nobody is to be told anything.
    pub fn is_empty(&self) -> bool {
        lock(&self.open).is_empty()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn what_is_done_with_is_told_once() {
        let book = ReceiptBook::default();
        let counted = |id: &str, from, to| Counted { publisher: id.into(), from, to };
        book.done(&[counted("b", 0, 5), counted("a", 7, 9), counted("b", 5, 8)]);
        let taken = book.take(Duration::ZERO);
        let told: Vec<(&str, Vec<[u64; 2]>)> = taken.iter().map(|(id, r)| (id.as_ref(), r.iter().collect())).collect();
        assert_eq!(told, [("a", vec![[7, 9]]), ("b", vec![[0, 8]])]);
        assert!(book.is_empty() && book.take(Duration::ZERO).is_empty());
        book.put_back("b".into(), &taken[1].1);
        book.done(&[counted("b", 8, 9)]);
        assert_eq!(book.take(Duration::ZERO)[0].1.iter().collect::<Vec<_>>(), [[0, 9]]);
    }
}
