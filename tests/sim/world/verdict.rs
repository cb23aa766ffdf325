//! In the end: everything is healed, and what is there is compared with each other and with the oracle.

use std::collections::BTreeMap;
use std::sync::atomic::Ordering;

use keymesh::ablation;
use keymesh::commands::effects::{self, Effect};
use keymesh::db::{NodeId, Op, Origin, UnixMillis};

use crate::oracle::{self, Data, Published};
use crate::world::{HEAL_ROUNDS, HEAL_STEP_MS, Report, World};

impl World {
    pub(super) fn heal(mut self) -> Report {
        self.network.cut.clear();
        if self.outside() > 0 {
            self.attach();
        }
        self.forget_departed();
        self.come_back();
        let live = self.live();
        let mut rest = false;
        for round in 0..HEAL_ROUNDS {
            if round == HEAL_ROUNDS / 2 {
                self.forget_lost();
            }
            self.now += HEAL_STEP_MS;
            self.tick();
            self.forget_again();
            self.network
                .step(&self.nodes, self.now, &mut self.rng, true);
            rest = self.at_rest();
            if rest {
                break;
            }
        }
        // Every deadline is past by then.
        let later = self.now + 10_000_000;
        let mut failures = std::mem::take(&mut self.network.broken);
        if !rest {
            failures.push(self.unrest());
        }
        for (now, what) in [(self.now, "now"), (later, "after all deadlines")] {
            let views: Vec<_> = live
                .iter()
                .map(|index| self.nodes[*index].data(UnixMillis(now + 10_000)))
                .collect();
            if let Some(other) = views.iter().position(|view| *view != views[0]) {
                failures.push(format!(
                    "node {} differs from node {} {what}: {:?} / {:?}",
                    live[other], live[0], views[other], views[0]
                ));
            }
            let expected = oracle::replay(&self.surviving(), UnixMillis(now + 10_000));
            let (shown, expected) = (oracle::canonical(&views[0]), oracle::canonical(&expected));
            if shown != expected {
                self.tell_history(&shown, &expected);
                failures.push(format!(
                    "node {} differs from the oracle {what}: {:?} / {expected:?}",
                    live[0], shown
                ));
            }
        }
        failures.extend(self.follower_fault());
        failures.extend(self.message_faults());
        failures.extend(self.network.crossings.fault());
        let late: u64 = live
            .iter()
            .map(|index| &self.nodes[*index])
            .map(|node| {
                (0..2)
                    .map(|p| node.node.keyspace.lock(p).stats.late)
                    .sum::<u64>()
            })
            .sum();
        if late > 0 {
            failures.push(format!(
                "{late} effects arrived although they counted as arrived"
            ));
        }
        if !failures.is_empty() {
            for node in &self.nodes {
                self.tell(&node.node.describe());
            }
        }
        self.count();
        Report {
            coverage: self.coverage,
            failures,
        }
    }

    /// Everything has arrived, is settled, and leaves nothing behind.
    pub(super) fn at_rest(&self) -> bool {
        let said_anew = self.said_anew();
        let all = self.published.iter().chain(&said_anew);
        let after = all.map(|operation| operation.order.0).max().unwrap_or(0);
        let live = self.live();
        // Messages, too, which may be the last of all and in no journal any more.
        let said = live.iter().map(|index| {
            let keyspace = &self.nodes[*index].node.keyspace;
            let own = keyspace.origins.find(self.nodes[*index].node.origin());
            keyspace
                .journal
                .position(own.unwrap_or_default())
                .last
                .raw()
        });
        let after = after.max(said.max().unwrap_or(0));
        live.iter().all(|index| {
            let node = &self.nodes[*index].node;
            node.keyspace.settled().raw() > after
                && node.is_established()
                && node.keyspace.pending() == (0, 0)
        }) && self.follower_is_at_rest(after)
            && live.iter().all(|index| self.is_counted_by_all(*index))
    }

    /// Whether everybody counts a node's present life.
    pub(super) fn is_counted_by_all(&self, index: usize) -> bool {
        let life = self.nodes[index].node.origin();
        self.live().iter().all(|other| {
            let members = self.nodes[*other].node.members();
            members.life(life).is_some() && !members.is_retired(life)
        })
    }

    pub(super) fn unrest(&self) -> String {
        let states: Vec<String> = self
            .nodes
            .iter()
            .map(|node| {
                format!(
                    "{:x}: established {} settled {} pending {:?} behind {:?}",
                    node.id.0 & 0xff,
                    node.node.is_established(),
                    node.node.keyspace.settled().millis().0 - self.now,
                    node.node.keyspace.pending(),
                    node.node.laggard().map(|(origin, time)| (
                        origin.node.0 & 0xff,
                        origin.incarnation.0,
                        time.millis().0 - self.now
                    )),
                )
            })
            .collect();
        let links = self.network.len();
        let mut text = format!("no rest ({:?}, {links} links): {states:#?}", self.topology);
        if std::env::var_os("KEYMESH_DESCRIBE").is_some() {
            for node in &self.nodes {
                text.push('\n');
                text.push_str(&node.node.describe());
            }
        }
        text
    }

    /// Says which operations the oracle knows of keys that differ.
    pub(super) fn tell_history(&self, node: &Data, oracle: &Data) {
        let mut surviving = self.surviving();
        surviving.sort_by_key(|operation| operation.order);
        for operation in surviving {
            let Some(key) = &operation.key else { continue };
            let place = (operation.db, key.clone());
            if node.get(&place) != oracle.get(&place) {
                let (time, node, life) = operation.order;
                self.tell(&format!(
                    "oracle: {} {} at {time} by {:x}/{life} {:?}",
                    operation.db,
                    String::from_utf8_lossy(key),
                    node.0 & 0xff,
                    Op::decode(&operation.op)
                ));
            }
        }
    }

    /// The operations that somebody still holds.
    pub(super) fn surviving(&self) -> Vec<Published> {
        let mut most: BTreeMap<(NodeId, u32), u64> = BTreeMap::new();
        for node in self.nodes.iter().filter(|node| node.is_live()) {
            let keyspace = &node.node.keyspace;
            for (place, origin) in keyspace.origins.list().into_iter().enumerate() {
                let Origin { node, incarnation } = origin;
                let arrived = keyspace
                    .journal
                    .position(keymesh::db::OriginIndex(place as u16 + 1))
                    .arrived;
                let known = most.entry((node, incarnation.0)).or_default();
                *known = (*known).max(arrived.raw());
            }
        }
        let members = self.nodes[self.live()[0]].node.members();
        let counts = |operation: &Published| {
            let (time, node, life) = operation.order;
            let origin = Origin {
                node,
                incarnation: keymesh::db::Incarnation(life),
            };
            let arrived = most.get(&(node, life)).copied().unwrap_or_default();
            let life = members.life(origin);
            let is_it =
                life.is_some_and(|life| operation.floor.is_none_or(|floor| floor == life.floor));
            time <= arrived && (is_it || ablated_admission())
        };
        let said_anew = self.said_anew();
        let all = self.published.iter().chain(&said_anew);
        all.filter(|operation| counts(operation)).cloned().collect()
    }

    /// What nodes said anew under a new life when they were admitted.
    pub(super) fn said_anew(&self) -> Vec<Published> {
        let mut published = Vec::new();
        for node in self.nodes.iter().map(|node| &node.node).chain(&self.gone) {
            for (origin, first, record) in node.said_anew.lock().iter() {
                let effects = effects::decode_all(&record.payload, record.count)
                    .expect("it was encoded by a node");
                for (nth, effect) in effects.iter().enumerate() {
                    let Effect::Key { db, key, op } = effect else {
                        continue;
                    };
                    let mut bytes = Vec::new();
                    op.encode(&mut bytes);
                    published.push(Published {
                        order: (
                            first.plus(nth as u64).raw(),
                            origin.node,
                            origin.incarnation.0,
                        ),
                        floor: None,
                        db: *db,
                        key: Some(key.to_vec()),
                        op: bytes,
                    });
                }
            }
        }
        published
    }

    pub(super) fn count(&mut self) {
        self.coverage.replaced += u64::from(self.is_replaced());
        let coverage = &mut self.coverage;
        coverage.under_way += self.network.crossings.under_way();
        for node in self.nodes.iter().map(|node| &node.node).chain(&self.gone) {
            let get = |counter: &std::sync::atomic::AtomicU64| counter.load(Ordering::Relaxed);
            coverage.merges += get(&node.counters.merges_done);
            coverage.merges_aborted += get(&node.counters.merges_aborted);
            coverage.reroutes += get(&node.counters.reroutes);
            coverage.superseded += node.counters.superseded.iter().map(get).sum::<u64>();
            coverage.adoptions += get(&node.counters.adoptions);
            coverage.clock_alarms += get(&node.counters.clock_alarms);
            coverage.stamps_ahead += get(&node.counters.stamps_ahead);
            coverage.sealed += get(&node.counters.sealed);
            coverage.duplicates += get(&node.counters.duplicates);
            for partition in 0..2 {
                let stats = node.keyspace.lock(partition).stats;
                coverage.purges += stats.expired;
                coverage.swept += stats.expired_members;
            }
        }
    }
}

fn ablated_admission() -> bool {
    ablation::is_off(ablation::Rule::Admission)
}
