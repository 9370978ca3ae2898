//! What threads asked of a pool and were answered, in order, and whether a pool may answer so.

#[derive(Clone, Copy)]
pub(crate) enum Event {
    Asked,
    /// A block, by the call that began at this place of the history.
    Got(usize),
    /// None, by the call that began there.
    None(usize),
    Gave,
}

#[derive(Default)]
pub(crate) struct History(Vec<Event>);

impl History {
    /// Answers its place.
    pub(crate) fn add(&mut self, event: Event) -> usize {
        self.0.push(event);
        self.0.len() - 1
    }

    /// How many blocks may have been live after each event: asked for by a call that got one, and
    /// not given back by a call that is over.
    fn live(&self) -> Vec<usize> {
        let mut change = vec![0; self.0.len()];
        for (place, event) in self.0.iter().enumerate() {
            match event {
                Event::Got(asked) => change[*asked] = 1,
                Event::Gave => change[place] = -1,
                Event::Asked | Event::None(_) => {}
            }
        }
        let add = |live: &mut usize, change: isize| {
            *live = live.checked_add_signed(change).expect("given back after it was asked for");
            Some(*live)
        };
        change.into_iter().scan(0, add).collect()
    }

    /// Whoever was told that there is no block was told so while all were live. Answers how many.
    pub(crate) fn judge(&self, capacity: usize) -> usize {
        let live = self.live();
        let nones = self.0.iter().enumerate().filter_map(|(told, event)| match event {
            Event::None(asked) => Some(&live[*asked..=told]),
            _ => None,
        });
        nones
            .inspect(|live| {
                let most = *live.iter().max().expect("not empty");
                assert!(most >= capacity, "no block of {capacity}, and at most {most} were live");
            })
            .count()
    }
}

#[test]
#[should_panic(expected = "no block of 1, and at most 0 were live")]
fn none_is_not_accepted_while_a_block_is_free() {
    let mut history = History::default();
    let first = history.add(Event::Asked);
    history.add(Event::Got(first));
    history.add(Event::Gave);
    let second = history.add(Event::Asked);
    history.add(Event::None(second));
    history.judge(1);
}

#[test]
fn none_is_accepted_while_the_last_block_is_under_way() {
    let mut history = History::default();
    let [first, second] = [Event::Asked; 2].map(|event| history.add(event));
    history.add(Event::None(second));
    history.add(Event::Got(first));
    assert_eq!(history.judge(1), 1);
}
