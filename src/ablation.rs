//! Safety rules that a test may switch off, to show that the simulation notices. Without the `ablation` feature every
//! question here is answered "on" at compile time. Beside them lengths that a test may make small, to meet what else is rare.

/// A rule that keeps masters equal.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
#[repr(u32)]
pub enum Rule {
    /// A snapshot's vector is that of the instant it shows.
    SnapshotInstant,
    /// Expiry is judged by an operation's stamp, not by the clock.
    ExpiryByStamp,
    /// Nothing settles until every configured master was met.
    ColdStartHold,
    /// A place in the journal is reserved before a write and readers wait for it.
    Reservation,
    /// A record whose predecessor is missing waits.
    GapCheck,
    /// Received times advance the clock.
    ClockMerge,
    /// Absent at a node that has everything up to a time means deleted by then.
    Coverage,
    /// Tombstones and operations stay until everything before them has arrived.
    Watermark,
    /// A start that may have lost a tail is a new life.
    NewLife,
    /// Membership and the clock's lease are on disk before they count.
    DurableMembership,
    /// A retired life counts until everything that anybody holds of it has arrived.
    SealRetired,
    /// A newcomer's stamps come after its admission.
    Admission,
    /// What a forgotten node announced counts only where the announcement has arrived.
    LostAnnouncement,
    /// Nobody takes records from a node that was forgotten.
    ForgottenIsHeardNoMore,
    /// A write of another type deletes what is older.
    TypeCut,
    /// A removal of list elements is remembered although they have not come yet.
    PoppedNames,
    /// What is settled comes with the time up to which everything had arrived where it was.
    SettledVector,
    /// Members that went because their time came are remembered until nothing from before can come.
    SweptMembers,
}

#[cfg(feature = "ablation")]
thread_local! {
    static OFF: std::cell::Cell<u32> = const { std::cell::Cell::new(0) };
    static WALL_MS: std::cell::Cell<i64> = const { std::cell::Cell::new(0) };
}

/// Whether a rule is switched off on this thread.
#[cfg(feature = "ablation")]
pub fn is_off(rule: Rule) -> bool {
    OFF.with(|off| off.get() & (1 << rule as u32) != 0)
}

/// Whether a rule is switched off: never, in a server.
#[cfg(not(feature = "ablation"))]
#[inline(always)]
pub fn is_off(_: Rule) -> bool {
    false
}

/// Switches rules off on this thread.
#[cfg(feature = "ablation")]
pub fn switch_off(rules: &[Rule]) {
    OFF.with(|off| off.set(rules.iter().fold(0, |bits, rule| bits | 1 << *rule as u32)));
}

/// Sets what a rule that wrongly looks at the clock sees.
#[cfg(feature = "ablation")]
pub fn set_wall_clock(ms: i64) {
    WALL_MS.with(|wall| wall.set(ms));
}

/// The clock, for rules that are switched off.
#[cfg(feature = "ablation")]
pub fn wall_clock() -> i64 {
    WALL_MS.with(std::cell::Cell::get)
}

/// The clock, for rules that are switched off: none are.
#[cfg(not(feature = "ablation"))]
pub fn wall_clock() -> i64 {
    0
}

/// A value of this many bytes lies apart from its key. A copy of less costs about what finding it elsewhere does.
const FAR_FROM: usize = 4096;

#[cfg(any(test, feature = "ablation"))]
thread_local! {
    static FAR: std::cell::Cell<usize> = const { std::cell::Cell::new(FAR_FROM) };
    static LARGE: std::cell::Cell<usize> = const { std::cell::Cell::new(LARGE_FROM) };
}

/// What takes long with a collection of more bytes than this is done by who holds no partition.
const LARGE_FROM: usize = 64 * 1024;

/// From how many bytes on what takes long with a collection is done by who holds no partition.
#[cfg(any(test, feature = "ablation"))]
pub fn large_from() -> usize {
    LARGE.with(std::cell::Cell::get)
}

/// From how many bytes on what takes long with a collection is done by who holds no partition.
#[cfg(not(any(test, feature = "ablation")))]
#[inline(always)]
pub fn large_from() -> usize {
    LARGE_FROM
}

/// Lets collections of more bytes than this be large on this thread until what it returns is dropped.
#[cfg(any(test, feature = "ablation"))]
pub fn set_large_from(len: usize) -> LargeFrom {
    LargeFrom(LARGE.with(|large| large.replace(len)))
}

/// What the length was before.
#[cfg(any(test, feature = "ablation"))]
#[derive(Debug)]
#[must_use]
pub struct LargeFrom(usize);

#[cfg(any(test, feature = "ablation"))]
impl Drop for LargeFrom {
    fn drop(&mut self) {
        LARGE.with(|large| large.set(self.0));
    }
}

#[cfg(any(test, feature = "ablation"))]
thread_local! {
    static ELAPSED_MS: std::cell::Cell<i64> = const { std::cell::Cell::new(0) };
}

/// How many milliseconds a computation took that began then: in a test what it says, so that each run is the same.
#[cfg(any(test, feature = "ablation"))]
pub fn elapsed_ms(_: std::time::Instant) -> i64 {
    ELAPSED_MS.with(std::cell::Cell::get)
}

/// How many milliseconds a computation took that began then.
#[cfg(not(any(test, feature = "ablation")))]
pub fn elapsed_ms(since: std::time::Instant) -> i64 {
    i64::try_from(since.elapsed().as_millis()).unwrap_or(i64::MAX)
}

/// Lets every computation on this thread take so long.
#[cfg(any(test, feature = "ablation"))]
pub fn set_elapsed_ms(ms: i64) {
    ELAPSED_MS.with(|elapsed| elapsed.set(ms));
}

/// From how many bytes on a value lies apart from its key.
#[cfg(any(test, feature = "ablation"))]
pub fn far_from() -> usize {
    FAR.with(std::cell::Cell::get)
}

/// From how many bytes on a value lies apart from its key.
#[cfg(not(any(test, feature = "ablation")))]
#[inline(always)]
pub fn far_from() -> usize {
    FAR_FROM
}

/// Makes values of this many bytes, at least 1, lie apart on this thread until what it returns is dropped. A partition must not see
/// that change.
#[cfg(any(test, feature = "ablation"))]
pub fn set_far_from(len: usize) -> FarFrom {
    FarFrom(FAR.with(|far| far.replace(len.max(1))))
}

/// What the length was before.
#[cfg(any(test, feature = "ablation"))]
#[derive(Debug)]
#[must_use]
pub struct FarFrom(usize);

#[cfg(any(test, feature = "ablation"))]
impl Drop for FarFrom {
    fn drop(&mut self) {
        FAR.with(|far| far.set(self.0));
    }
}
