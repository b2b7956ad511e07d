// leaks_rust.rs [rounds]: each function leaks through another part of the standard library.
// A line that is to be blamed ends in a comment: leak, and what its function's name contains.
use std::collections::{BTreeMap, HashMap, VecDeque};
use std::hint::black_box;
use std::rc::Rc;
use std::sync::Arc;
struct Order { note: [u8; 811] }
struct Shop { boxes: Vec<Box<Order>>, vecs: Vec<Vec<u8>>, names: HashMap<u64, String>, tree: BTreeMap<u64, Order>,
    works: Vec<Box<dyn Fn() -> u8>>, queue: VecDeque<Rc<Order>>, shared: Vec<Arc<[u8]>>, texts: Vec<String> }
trait Store { fn put(&mut self, key: u64); }
impl Store for Shop {
    #[inline(never)]
    fn put(&mut self, key: u64) {
        self.texts.push(format!("a text with the key {key} and more")); // leak: ::put
    }
}
impl Shop {
    #[inline(never)]
    fn by_box(&mut self) {
        self.boxes.push(Box::new(Order { note: [1; 811] })); // leak: by_box
    }
    #[inline(never)]
    fn by_vec(&mut self, n: usize) {
        self.vecs.push(vec![n as u8; 523]); // leak: by_vec
    }
    #[inline(never)]
    fn by_push(&mut self, n: usize) {
        let mut v = Vec::new();
        for i in 0..n { v.push(i as u8); } // leak: by_push
        std::mem::forget(v);
    }
    #[inline(never)]
    fn by_string(&mut self, key: u64) {
        self.names.insert(key, "s".repeat(300)); // leak: by_string
    }
    #[inline(never)]
    fn by_tree(&mut self, key: u64) {
        for row in 0..12 {
            self.tree.insert(key * 12 + row, Order { note: [2; 811] }); // leak: by_tree
        }
    }
    #[inline(never)]
    fn by_closure(&mut self, key: u8) {
        let big = [key; 97];
        self.works.push(Box::new(move || big[3])); // leak: by_closure
    }
    #[inline(never)]
    fn by_rc(&mut self) {
        self.queue.push_back(Rc::new(Order { note: [3; 811] })); // leak: by_rc
    }
    #[inline(never)]
    fn by_collect(&mut self, key: u64) {
        self.shared.push((0..key % 7 + 101).map(|x| x as u8).collect()); // leak: by_collect
    }
}
#[inline(never)]
fn generic<T: Clone>(value: T) -> Vec<T> {
    vec![value; 41] // leak: generic
}
#[inline(never)]
fn in_closure(work: &dyn Fn() -> Box<[u8; 229]>) { std::mem::forget(black_box(work())); }
fn main() {
    let rounds: u64 = std::env::args().nth(1).map_or(50, |x| x.parse().unwrap());
    let mut shop = Shop { boxes: vec![], vecs: vec![], names: HashMap::new(), tree: BTreeMap::new(), works: vec![],
        queue: VecDeque::new(), shared: vec![], texts: vec![] };
    for i in 0..rounds {
        shop.by_box();
        shop.by_vec(i as usize);
        shop.by_push(77);
        shop.by_string(i);
        shop.by_tree(i);
        shop.by_closure(i as u8);
        shop.by_rc();
        shop.by_collect(i);
        shop.put(i);
        std::mem::forget(generic(i as u32));
        in_closure(&|| Box::new([i as u8; 229])); // leak: main
    }
    std::thread::spawn(move || {
        for i in 0..rounds {
            std::mem::forget(black_box(vec![i as u8; 1013])); // leak: main
        }
    }).join().unwrap();
    let sum = shop.boxes.last().map_or(0, |b| b.note[0]) + shop.works[0]() + shop.tree[&0].note[1];
    println!("{} {}", shop.vecs.len(), sum);
    std::process::exit(0);
}
