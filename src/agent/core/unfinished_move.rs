//! A move of the vault to another key that was cut short is ended, or told of.

use std::sync::atomic::{AtomicBool, Ordering};

use crate::agent::error::AgentError;
use crate::vault::{self, ChangeLock, Folder, Move, Vault, has_unfinished_move};

/// What is said of one that can't be ended from here.
pub const CUT_SHORT: &str =
    "the vault's move to another key was cut short, so that the old key opens it still";
/// What to do about it.
pub const AFTER_CUT_SHORT: &str =
    "stop the agent, and run gatehand vault rekey again as it was run then";

static TOLD: AtomicBool = AtomicBool::new(false);

/// Ends it, for whoever changes the device.
pub(super) fn finish_move_under(folder: &Folder, lock: &ChangeLock) {
    match vault::finish_move(folder, lock) {
        Ok(Move::None) => {}
        Ok(Move::Ended) => {
            tracing::info!("the vault's move to another key, which was cut short, is over");
        }
        Ok(Move::CutShort) => {
            if !TOLD.swap(true, Ordering::Relaxed) {
                tracing::warn!("{CUT_SHORT}: {AFTER_CUT_SHORT}");
            }
        }
        // Whoever opens the vault tells of that.
        Err(error) => tracing::debug!("a move of the vault is not looked at: {error}"),
    }
}

/// The same for who has no lock. Whoever has it does it, too.
pub(in crate::agent) fn finish_move(folder: &Folder) -> Result<(), AgentError> {
    let is_unfinished = match Vault::look(folder)? {
        Some(vault) => has_unfinished_move(&vault)?,
        None => false,
    };
    if is_unfinished && let Ok(lock) = vault::lock(folder) {
        finish_move_under(folder, &lock);
    }
    Ok(())
}
