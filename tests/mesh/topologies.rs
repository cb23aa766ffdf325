//! Five masters as ring, star and line: writes find a way wherever there is one.

use crate::support::{Mesh, eventually, present};

const WRITES: usize = 60;

/// One edge is cut under load. The writes of each group arrive at all of that group, and all are equal once it is healed.
fn a_cut_splits_into(mesh: &Mesh, (a, b): (usize, usize), groups: &[&[usize]]) {
    let all: Vec<usize> = (0..mesh.nodes.len()).collect();
    let load = mesh.load(&all, &format!("during:{a}:{b}"), WRITES, |progress| {
        eventually("writes are under way", || progress() > WRITES / 4);
        mesh.cut(a, b);
    });
    for group in groups {
        let written: Vec<String> = group.iter().flat_map(|node| load[node].clone()).collect();
        assert_eq!(written.len(), WRITES * group.len());
        for node in *group {
            let mut client = mesh.nodes[*node].client();
            eventually(&format!("the writes of {group:?} are at {node}"), || {
                present(&mut client, &written).len() == written.len()
            });
        }
    }
    // What is written in one group while the cut lasts is not known in the others.
    for group in groups {
        mesh.nodes[group[0]]
            .client()
            .set(&format!("only:{a}:{b}:{}", group[0]), "x");
        mesh.wait_for_markers(group);
    }
    for (at, group) in groups.iter().enumerate() {
        for (other, elsewhere) in groups.iter().enumerate() {
            let key = format!("only:{a}:{b}:{}", elsewhere[0]);
            assert_eq!(mesh.nodes[group[0]].get(&key).is_some(), at == other);
        }
    }
    mesh.heal(a, b);
    mesh.wait_until_whole();
    mesh.wait_until_equal();
    let written: Vec<String> = load.into_values().flatten().collect();
    for node in all {
        mesh.assert_present(node, &written);
    }
}

/// Each edge in turn: nobody needs a full sync, for the journals hold what was missed.
fn each_cut_splits_into(mesh: &Mesh, groups: impl Fn((usize, usize)) -> Vec<Vec<usize>>) {
    for edge in mesh.edges() {
        let groups = groups(edge);
        let groups: Vec<&[usize]> = groups.iter().map(Vec::as_slice).collect();
        let merges = mesh.numbers("mesh_merges");
        a_cut_splits_into(mesh, edge, &groups);
        assert_eq!(mesh.numbers("mesh_merges"), merges, "{edge:?}");
    }
}

#[test]
fn a_ring_that_is_cut_anywhere_is_a_line_and_carries_everything() {
    each_cut_splits_into(&Mesh::ring(5), |_| vec![vec![0, 1, 2, 3, 4]]);
}

#[test]
fn a_star_that_loses_any_arm_goes_on_without_it() {
    each_cut_splits_into(&Mesh::star(5), |(_, arm)| {
        let rest = (0..5).filter(|node| *node != arm).collect();
        vec![rest, vec![arm]]
    });
}

#[test]
fn a_line_that_is_cut_anywhere_is_two_lines() {
    each_cut_splits_into(&Mesh::line(5), |(left, right)| {
        vec![(0..=left).collect(), (right..5).collect()]
    });
}
