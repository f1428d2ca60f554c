//! Operations left unfinished by an earlier session.

use crate::changes::Operation;
use crate::changes::{OpId, PlanId, Recovered, RecoveredState};
use crate::remote::{Call, Fault, RemoteError};
use crate::segment::Draft;

use super::{id, named};

/// Returns a plan of three operations: one never sent, one not applied, one with an unknown outcome.
pub(crate) fn left_undone() -> Vec<Recovered> {
    let update = |name: &str| Operation::Update {
        base: named("export", "Export", Some("hurt")),
        draft: Draft::of(&named("export", name, Some("hurt"))),
    };
    let fault = Fault::Unreachable { reason: "connection refused".into() };
    let unknown = RecoveredState::Unknown(RemoteError { call: Call::One(id("vip")), fault });
    let delete = Operation::delete(named("vip", "VIP Client", None));
    let left =
        [(update("Left"), RecoveredState::NotSent), (update("Right"), RecoveredState::NotApplied), (delete, unknown)];
    let found = left.into_iter().enumerate().map(|(index, (operation, state))| {
        let op = OpId { plan_id: PlanId(7), index };
        Recovered { op, operation, state, evidence: None, undoes: None }
    });
    found.collect()
}
