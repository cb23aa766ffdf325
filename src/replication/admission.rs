//! Who counts in a mesh, and how strangers come in.
//!
//! While a mesh forms whoever is met counts (see `forming`). Once it has formed, a stranger's stamps must come after a record in
//! the stream of somebody who counts (an *announcement*): nobody settles past that record without having seen it. Several members
//! may announce a stranger; the stranger itself *confirms* one announcement, and a life of it counts for whoever counts the
//! announcer. Announcements travel with the tables of members, to whoever reads, and with ADOPT to whom one reads, until they are
//! confirmed.
//!
//! Invariant: no stamp at or before a mesh's settled time ever enters that mesh.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::atomic::Ordering;

use crate::ablation::{Rule, is_off};
use crate::commands::{Effect, Effects};
use crate::db::{Hlc, NodeId, Origin, UnixMillis};
use crate::journal::Record;
use crate::replication::forming::counts_me;
use crate::replication::identity::is_usurped;
use crate::replication::members::{Admission, Member, Members};
use crate::replication::merging::Merge;
use crate::replication::node::{Inner, LinkId, Node, NodeError};
use crate::replication::table::Table;

/// Ticks after which a node that waits for its own admission announces strangers itself: perhaps nobody reads it.
pub(super) const ALONE_TICKS: u32 = 60;
/// How many sponsors' sponsors are remembered.
const SPONSORS_MAX: usize = 64;

/// The nodes of a told table that count for who counts `ours`: known ones, and those whose admission was announced by somebody
/// who counts. What a forgotten node announced may be lost: it counts where the announcement has arrived, or where somebody
/// who counts tells that it does.
fn countable(
    ours: &Members,
    told: &Members,
    me: NodeId,
    by_member: bool,
    has_arrived: &dyn Fn(Admission) -> bool,
) -> BTreeSet<NodeId> {
    let mut counts: BTreeSet<NodeId> = told
        .nodes
        .iter()
        .filter(|(node, _)| {
            ours.nodes
                .get(*node)
                .is_some_and(|known| !known.lives.is_empty())
        })
        .map(|(node, _)| *node)
        .collect();
    loop {
        let by_who_counts = |node: NodeId, member: &Member| {
            member.admission.is_some_and(|admission| {
                let by = admission.by;
                let known = ours.nodes.get(&node).and_then(|known| known.admission);
                let may_be_lost = is_perhaps_lost(ours, member)
                    && !by_member
                    && known.is_none_or(|known| known.by != by)
                    && !has_arrived(admission);
                if may_be_lost {
                    return false;
                }
                // A life before those that count has been left behind.
                let announcer = ours.nodes.get(&by.node);
                let oldest = announcer.and_then(|known| known.lives.keys().next());
                let later = oldest.is_none_or(|oldest| by.incarnation > *oldest) && by.node != me;
                let comes = counts.contains(&by.node) && told.life(by).is_some() && later;
                ours.life(by).is_some() || comes
            })
        };
        let more: Vec<NodeId> = told
            .nodes
            .iter()
            .filter(|(node, member)| {
                !member.lives.is_empty() && !counts.contains(*node) && by_who_counts(**node, member)
            })
            .map(|(node, _)| *node)
            .collect();
        if more.is_empty() {
            return counts;
        }
        counts.extend(more);
    }
}

/// Whether a told table is what somebody knows who counts here and is not forgotten: it comes from there, or agrees with a
/// statement that was made there.
fn is_told_by_member(ours: &Table, told: &Table, master: Option<Origin>) -> bool {
    let is_member = |life: Origin| ours.counts(life) && !ours.members.is_retired(life);
    // Who tells it may not be counted yet by those who have seen its announcement.
    let teller = master.map(|master| master.node);
    let seen = [told.members.view(None), told.members.view(teller)];
    let mut stating = told.members.nodes.iter().filter(|(node, member)| {
        let mut statements = member.statements.values();
        statements.any(|statement| {
            let life = Origin {
                node: **node,
                incarnation: statement.by,
            };
            seen.contains(&statement.seen) && is_member(life)
        })
    });
    master.is_some_and(is_member) || stating.next().is_some()
}

/// Whether a member's admission was announced by a node that was forgotten: its last words may be lost, this among them. A node
/// that goes on has them on disk.
fn is_perhaps_lost(members: &Members, member: &Member) -> bool {
    let announcer = member.admission.map(|admission| admission.by.node);
    let announcer = announcer.and_then(|node| members.nodes.get(&node));
    !is_off(Rule::LostAnnouncement) && announcer.is_some_and(Member::is_forgotten)
}

/// Who announced an admission, who had announced them, and so on.
pub(super) fn sponsors(told: &Members, by: Origin) -> Vec<Origin> {
    let mut chain = vec![by];
    while let Some(admission) = chain
        .last()
        .and_then(|last| told.nodes.get(&last.node))
        .and_then(|member| member.admission)
        .filter(|admission| !chain.contains(&admission.by) && chain.len() < SPONSORS_MAX)
    {
        chain.push(admission.by);
    }
    chain
}

/// Whether a teller is going to count this node for the admission that it has confirmed: it counts one of the sponsors, and the
/// announcement did not end with a forgotten node.
fn stands(inner: &Inner, confirmed: Admission, told: &Table) -> bool {
    let mut floor = confirmed.floor;
    for &sponsor in &inner.state.sponsors {
        if told.counts(sponsor) {
            let members = &told.members;
            let there = members.nodes.get(&sponsor.node);
            let held = members.held_by_counted(sponsor, None);
            let is_lost =
                there.is_some_and(Member::is_forgotten) && held.is_some_and(|held| held < floor);
            return !is_lost;
        }
        let known = inner.state.table.members.nodes.get(&sponsor.node);
        let admission = known.and_then(|known| known.admission);
        floor = admission.map_or(Hlc::ZERO, |admission| admission.floor);
    }
    false
}

/// Whether a merge must first come to its end: there is something here that no vector speaks of yet. What was told is looked at
/// again then.
fn is_half_merged(inner: &mut Inner) -> bool {
    let half = inner.merge.as_ref().is_some_and(Merge::is_whole);
    inner.relearn |= half;
    half
}

impl Node {
    /// Takes in what a master knows; says whether it counts nodes that do not count here.
    pub(super) fn learn(
        &self,
        inner: &mut Inner,
        master: Option<Origin>,
        told: &Table,
        now: UnixMillis,
    ) -> Result<bool, NodeError> {
        if inner.follower {
            self.follow_table(inner, told)?;
            return Ok(false);
        }
        if is_off(Rule::Admission) {
            if inner.state.table.members.join(&told.members) {
                self.changed(inner)?;
            }
            return Ok(false);
        }
        if is_half_merged(inner) {
            return Ok(false);
        }
        let same = told.formed && inner.state.table.formed && told.mesh == inner.state.table.mesh;
        inner.usurped |= same && is_usurped(inner, &told.members);
        let counted_there = counts_me(inner, told);
        if !inner.state.table.formed && told.formed && counted_there {
            self.formed_elsewhere(inner, told, now)?;
        } else if self.yields_to(inner, told) {
            self.join_mesh(inner, told, now)?;
        }
        self.heed(inner, told, now)?;
        if !inner.state.table.formed {
            let table = &mut inner.state.table;
            let older = told.mesh < table.mesh;
            table.mesh = table.mesh.min(told.mesh);
            if table.members.join(&told.members) || older {
                self.changed(inner)?;
            }
            return Ok(false);
        }
        let me = inner.state.node;
        let mut acceptable = Members::default();
        let mut perhaps_lost = Vec::new();
        let mut counts: BTreeSet<NodeId> =
            inner.state.table.members.nodes.keys().copied().collect();
        counts.retain(|node| !inner.state.table.members.nodes[node].lives.is_empty());
        if told.mesh == inner.state.table.mesh {
            let table = &inner.state.table;
            let by_member = is_told_by_member(table, told, master);
            // Of several announcements that have arrived only the earliest is known.
            let has_arrived = |Admission { floor, by }: Admission| {
                let index = self.keyspace.origins.find(by);
                let position = index.map(|index| self.keyspace.journal.position(index));
                position.is_some_and(|position| position.arrived >= floor)
            };
            counts = countable(&table.members, &told.members, me, by_member, &has_arrived);
            acceptable = told.members.clone();
            acceptable.nodes.retain(|node, member| {
                let is_lost = !by_member && is_perhaps_lost(&table.members, member);
                let announced = member.lives.is_empty();
                if announced && is_lost && member.forgotten == 0 && *node != me {
                    perhaps_lost.push(*node);
                }
                announced && !is_lost || counts.contains(node)
            });
            // A forgotten node that has begun another life without having heard of it: that life is forgotten, too.
            let forgotten = |node: &NodeId| {
                let known = table.members.nodes.get(node);
                known.is_some_and(Member::is_forgotten) && !by_member
            };
            for (_, told) in acceptable
                .nodes
                .iter_mut()
                .filter(|(node, _)| forgotten(node))
            {
                let newest = told.newest().map_or(0, |(life, _)| life.0);
                told.forgotten = told.forgotten.max(newest);
            }
            // Nobody knows better about this node than it does, but which of its earlier lives count.
            if let Some(told) = acceptable.nodes.remove(&me)
                && let Some(mine) = inner.state.table.members.nodes.get_mut(&me)
            {
                let present = inner.state.incarnation;
                // Whoever has forgotten all lives of it that it knows counts none that has begun since.
                let present_too = if told.is_forgotten() { present.0 } else { 0 };
                mine.forgotten = mine.forgotten.max(told.forgotten).max(present_too);
                let mut known = mine.clone();
                known.lives = told.lives;
                known
                    .lives
                    .retain(|life, _| *life < present && mine.admission.is_some());
                acceptable.nodes.insert(me, known);
            }
        }
        // Somebody who counts and has not heard yet that its mesh has formed: it knows of restarts.
        let behind = !told.formed && master.is_some_and(|life| inner.state.table.counts(life));
        if behind {
            acceptable = told.members.clone();
            acceptable
                .nodes
                .retain(|node, _| *node != me && counts.contains(node));
        }
        let strangers: Vec<NodeId> = told
            .members
            .nodes
            .iter()
            .filter(|(node, member)| !member.lives.is_empty() && !counts.contains(*node))
            .map(|(node, _)| *node)
            .collect();
        // Whom only a forgotten node has announced waits for somebody who counts.
        let to_announce = [strangers.as_slice(), &perhaps_lost].concat();
        let announced = self.announce(inner, &to_announce, now);
        let joined = inner.state.table.members.join(&acceptable);
        if inner.state.table.members.drop_void_announcements() || joined || announced {
            self.changed(inner)?;
        }
        Ok(!strangers.is_empty())
    }

    /// Asked by a reader: whoever the table announces without lives is to confirm that.
    pub(super) fn adopt(
        &self,
        reader: Option<Origin>,
        told: &Table,
        now: UnixMillis,
    ) -> Result<(), NodeError> {
        let mut inner = self.inner.lock();
        let inner = &mut *inner;
        if inner.follower || !told.formed || is_half_merged(inner) {
            return Ok(());
        }
        self.heed(inner, told, now)?;
        if told.mesh != inner.state.table.mesh || !inner.state.table.formed {
            return Ok(());
        }
        // For whom this node reads: told on with its table.
        let mut announced = told.members.clone();
        let members = &inner.state.table.members;
        let by_member = is_told_by_member(&inner.state.table, told, reader);
        announced.nodes.retain(|_, member| {
            member.entries.clear();
            member.lives.is_empty()
                && member.admission.is_some()
                && member.forgotten == 0
                && (by_member || !is_perhaps_lost(members, member))
        });
        let joined = inner.state.table.members.join(&announced);
        if inner.state.table.members.drop_void_announcements() || joined {
            self.changed(inner)?;
        }
        Ok(())
    }

    /// Confirms an announcement of this node, where it is the first of its mesh or comes from an older one.
    fn heed(&self, inner: &mut Inner, told: &Table, now: UnixMillis) -> Result<(), NodeError> {
        let table = &inner.state.table;
        let announced = told
            .members
            .nodes
            .get(&inner.state.node)
            .filter(|me| me.lives.is_empty())
            .and_then(|me| me.admission)
            .filter(|admission| told.members.life(admission.by).is_some());
        let Some(admission) = announced else {
            return Ok(());
        };
        let same = table.formed && told.mesh == table.mesh;
        if table.formed && told.mesh > table.mesh {
            return Ok(());
        }
        let confirmed = self.confirmed(inner);
        if same && confirmed.is_some_and(|confirmed| stands(inner, confirmed, told)) {
            return Ok(());
        }
        if !same {
            self.join_mesh(inner, told, now)?;
        } else {
            // Those whom this node has counted meanwhile count as little there: let in by it, or by somebody who was forgotten.
            let me = inner.state.node;
            inner.state.table.members.nodes.retain(|node, member| {
                let there = told.members.nodes.get(node);
                *node == me
                    || member.forgotten > 0
                    || there.is_some_and(|there| !there.lives.is_empty())
            });
        }
        self.begin_anew(inner, admission.floor, BTreeMap::new(), now)?;
        let floor = inner
            .state
            .table
            .members
            .life(inner.origin())
            .map_or(admission.floor, |life| life.floor);
        let me = inner.state.node;
        if let Some(me) = inner.state.table.members.nodes.get_mut(&me) {
            me.admission = Some(Admission {
                floor,
                by: admission.by,
            });
        }
        inner.state.sponsors = sponsors(&told.members, admission.by);
        // Nothing is settled here: whoever counts for its sponsor counts.
        let mut counted = told.members.clone();
        counted
            .nodes
            .retain(|_, member| !member.lives.is_empty() && member.admission.is_some());
        inner.state.table.members.join(&counted);
        self.changed(inner)
    }

    /// The admission that this node has confirmed.
    pub(super) fn confirmed(&self, inner: &Inner) -> Option<Admission> {
        inner
            .state
            .table
            .members
            .nodes
            .get(&inner.state.node)
            .and_then(|me| me.admission)
    }

    /// Whether this node has yet to come in: what it took from its new mesh now it would have to take again. It has to come in
    /// anew where it was forgotten, or another node has its id.
    pub(super) fn is_waiting(&self, inner: &Inner) -> bool {
        let table = &inner.state.table;
        let is_stranger = inner.alone_ticks < ALONE_TICKS && self.confirmed(inner).is_none();
        table.formed
            && (is_stranger || inner.usurped || table.members.is_retired(inner.origin()))
            && !inner.follower
            && !is_off(Rule::Admission)
    }

    /// Announces those strangers that nobody has announced, inside this node's own stream; says whether there were any.
    fn announce(&self, inner: &mut Inner, strangers: &[NodeId], now: UnixMillis) -> bool {
        if self.is_waiting(inner) {
            return false;
        }
        let new: Vec<NodeId> = strangers
            .iter()
            .copied()
            .filter(|node| {
                let known = inner.state.table.members.nodes.get(node);
                known.is_none_or(|known| known.admission.is_none())
            })
            .collect();
        if new.is_empty() {
            return false;
        }
        let mut effects = Effects::default();
        for &node in &new {
            effects.push(Effect::Admit { node });
        }
        let reservation = self.keyspace.journal.reserve(effects.count(), now);
        let payload = bytes::Bytes::copy_from_slice(effects.payload());
        let floor = reservation
            .publish(Record {
                count: effects.count(),
                payload,
                trace: None,
            })
            .time();
        let by = inner.origin();
        for &node in &new {
            let member = inner.state.table.members.nodes.entry(node).or_default();
            member.admission = Some(Admission { floor, by });
        }
        self.counters
            .admissions
            .fetch_add(new.len() as u64, Ordering::Relaxed);
        true
    }

    /// An announcement arrived in a member's stream, before the record counts as arrived.
    pub(super) fn announced(&self, node: NodeId, floor: Hlc, by: Origin) -> Result<(), NodeError> {
        let mut inner = self.inner.lock();
        let admission = Admission { floor, by };
        let member = inner.state.table.members.nodes.entry(node).or_default();
        let earlier = member.admission.is_some_and(|known| known <= admission);
        if earlier || !member.lives.is_empty() {
            return Ok(());
        }
        member.admission = Some(admission);
        self.changed(&mut inner)
    }

    /// Looks again at what the masters told, where that may now be seen in another light.
    pub(super) fn learn_again(&self, inner: &mut Inner, now: UnixMillis) -> Result<(), NodeError> {
        inner.alone_ticks = inner.alone_ticks.saturating_add(1);
        let due = std::mem::take(&mut inner.relearn) || inner.alone_ticks.is_multiple_of(10);
        if !due {
            return Ok(());
        }
        let links: Vec<LinkId> = inner.links.keys().copied().collect();
        for link in links {
            self.learn_from(inner, link, now)?;
        }
        Ok(())
    }

    /// Takes in what a link's master told last.
    pub(super) fn learn_from(
        &self,
        inner: &mut Inner,
        link: LinkId,
        now: UnixMillis,
    ) -> Result<(), NodeError> {
        let told = inner
            .links
            .get(&link)
            .and_then(|info| Some((info.master, std::sync::Arc::clone(info.told.as_ref()?))));
        let Some((master, told)) = told else {
            return Ok(());
        };
        let strangers = self.learn(inner, master, &told, now)?;
        if let Some(info) = inner.links.get_mut(&link) {
            info.adopt = strangers;
        }
        Ok(())
    }
}
