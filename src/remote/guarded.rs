//! Read-only mode, enforced below everything that writes: nothing that holds a [`Guarded`] remote can get a write past it.
//!
//! The interface refuses writes too, with better messages and before a form is filled in. But a new way to change something may
//! forget that check; this is the guarantee, in the one place that every call goes through.

use std::future::{Future, ready};

use futures_util::future::Either;

use crate::segment::{Draft, Segment, SegmentId, Step};

use super::{Call, Changes, Context, Fault, Page, Remote, RemoteError};

/// Whether the server may be changed.
#[derive(Debug, Clone, Copy, Default, PartialEq, Eq)]
pub enum Access {
    /// Reading and writing.
    #[default]
    ReadWrite,
    /// Reading only: no write is ever sent.
    ReadOnly,
}

/// A remote that sends writes only if they are allowed, and otherwise fails with [`Fault::ReadOnly`].
#[derive(Debug, Clone)]
pub struct Guarded<R> {
    remote: R,
    access: Access,
}

impl<R: Remote> Guarded<R> {
    /// Wraps a remote with the given access.
    pub const fn new(remote: R, access: Access) -> Self {
        Self { remote, access }
    }

    /// The result of a write, or the fault if writes are disabled. The remote is not called then.
    fn write<'a, T, F>(
        &'a self,
        call: impl FnOnce() -> Call,
        write: impl FnOnce(&'a R) -> F,
    ) -> impl Future<Output = Result<T, RemoteError>> + Send
    where
        T: Send,
        F: Future<Output = Result<T, RemoteError>> + Send,
    {
        match self.access {
            Access::ReadWrite => Either::Left(write(&self.remote)),
            Access::ReadOnly => Either::Right(ready(Err(RemoteError { call: call(), fault: Fault::ReadOnly }))),
        }
    }
}

impl<R: Remote> Remote for Guarded<R> {
    fn page(&self, number: u32, size: u32) -> impl Future<Output = Result<Page, RemoteError>> + Send {
        self.remote.page(number, size)
    }

    fn one(&self, id: &SegmentId) -> impl Future<Output = Result<Option<Segment>, RemoteError>> + Send {
        self.remote.one(id)
    }

    fn changes(&self, from: Step, only: Option<Context>) -> impl Future<Output = Result<Changes, RemoteError>> + Send {
        self.remote.changes(from, only)
    }

    fn changes_by_anybody(&self, from: Step) -> impl Future<Output = Result<Changes, RemoteError>> + Send {
        self.remote.changes_by_anybody(from)
    }

    fn create(&self, draft: &Draft) -> impl Future<Output = Result<SegmentId, RemoteError>> + Send {
        self.write(|| Call::Create(draft.name.as_str().into()), |remote| remote.create(draft))
    }

    fn update(&self, id: &SegmentId, draft: &Draft) -> impl Future<Output = Result<(), RemoteError>> + Send {
        self.write(|| Call::Update(id.clone()), |remote| remote.update(id, draft))
    }

    fn delete(&self, id: &SegmentId) -> impl Future<Output = Result<(), RemoteError>> + Send {
        self.write(|| Call::Delete(id.clone()), |remote| remote.delete(id))
    }
}

#[cfg(test)]
mod tests {
    use std::sync::{Arc, Mutex};

    use super::*;
    use crate::segment::Name;

    /// Accepts every call and records it.
    #[derive(Clone, Default)]
    struct RecordingRemote {
        asked: Arc<Mutex<Vec<&'static str>>>,
    }

    impl RecordingRemote {
        fn answer<T>(&self, call: &'static str, answer: T) -> impl Future<Output = Result<T, RemoteError>> + Send
        where
            T: Send,
        {
            self.asked.lock().unwrap().push(call);
            ready(Ok(answer))
        }
    }

    impl Remote for RecordingRemote {
        fn page(&self, _: u32, _: u32) -> impl Future<Output = Result<Page, RemoteError>> + Send {
            self.answer("page", Page::default())
        }

        fn one(&self, _: &SegmentId) -> impl Future<Output = Result<Option<Segment>, RemoteError>> + Send {
            self.answer("one", None)
        }

        fn changes(&self, _: Step, _: Option<Context>) -> impl Future<Output = Result<Changes, RemoteError>> + Send {
            self.answer("changes", Changes::default())
        }

        fn create(&self, _: &Draft) -> impl Future<Output = Result<SegmentId, RemoteError>> + Send {
            self.answer("create", vip())
        }

        fn update(&self, _: &SegmentId, _: &Draft) -> impl Future<Output = Result<(), RemoteError>> + Send {
            self.answer("update", ())
        }

        fn delete(&self, _: &SegmentId) -> impl Future<Output = Result<(), RemoteError>> + Send {
            self.answer("delete", ())
        }
    }

    fn vip() -> SegmentId {
        SegmentId::new("vip").unwrap()
    }

    fn draft() -> Draft {
        Draft { name: Name::parse("VIP").unwrap(), external_id: None, parent: None }
    }

    #[tokio::test]
    async fn no_write_is_sent_when_read_only() {
        let witness = RecordingRemote::default();
        let guarded = Guarded::new(witness.clone(), Access::ReadOnly);
        let forbidden = |call| RemoteError { call, fault: Fault::ReadOnly };
        assert_eq!(guarded.create(&draft()).await, Err(forbidden(Call::Create("VIP".into()))));
        assert_eq!(guarded.update(&vip(), &draft()).await, Err(forbidden(Call::Update(vip()))));
        assert_eq!(guarded.delete(&vip()).await, Err(forbidden(Call::Delete(vip()))));
        assert!(witness.asked.lock().unwrap().is_empty());
    }

    #[tokio::test]
    async fn reads_are_always_allowed() {
        for access in [Access::ReadOnly, Access::ReadWrite] {
            let witness = RecordingRemote::default();
            let guarded = Guarded::new(witness.clone(), access);
            guarded.page(1, 1).await.unwrap();
            guarded.one(&vip()).await.unwrap();
            guarded.changes(Step::FIRST, None).await.unwrap();
            assert_eq!(*witness.asked.lock().unwrap(), ["page", "one", "changes"]);
        }
    }

    #[tokio::test]
    async fn writes_are_sent_when_allowed() {
        let witness = RecordingRemote::default();
        let guarded = Guarded::new(witness.clone(), Access::ReadWrite);
        assert_eq!(guarded.create(&draft()).await, Ok(vip()));
        guarded.update(&vip(), &draft()).await.unwrap();
        guarded.delete(&vip()).await.unwrap();
        assert_eq!(*witness.asked.lock().unwrap(), ["create", "update", "delete"]);
    }
}
