//! One turn of a current-thread runtime: take what its sockets have to say, and return.

use tokio::runtime::Runtime;
use tokio::task::yield_now;

/// How often a turn is repeated for the sake of tokio tasks before they must wait for the next.
const MOST_PASSES: usize = 8;

/// Polls the runtime's driver once, without waiting, so that wakers of ready sockets are called.
///
/// One yield is exact while no tokio task is alive. We spawn none, but mysql_async does, for the
/// farewell of a connection that fails inside a poll: as long as one is alive the turn is
/// repeated, because a task woken by the last pass has not run yet.
pub fn turn(runtime: &Runtime) {
    runtime.block_on(yield_now());
    for _ in 0..MOST_PASSES {
        if runtime.metrics().num_alive_tasks() == 0 {
            break;
        }
        runtime.block_on(yield_now());
    }
}
