// threads_rust.rs [kill]: starts a thread each 5 ms for 3 s; all wait, and with `kill` the program ends without them.
use std::sync::{Arc, Condvar, Mutex};
use std::time::Duration;
struct Gate { open: Mutex<bool>, bell: Condvar }
#[inline(never)]
fn start_export(gate: &Arc<Gate>, kept: &mut Vec<std::thread::JoinHandle<()>>) {
    let gate = gate.clone();
    kept.push(std::thread::spawn(move || {
        let note = vec![1u8; 777];
        let mut open = gate.open.lock().unwrap();
        while !*open { open = gate.bell.wait(open).unwrap(); }
        std::hint::black_box(&note);
    }));
}
fn main() {
    let gate = Arc::new(Gate { open: Mutex::new(false), bell: Condvar::new() });
    let mut kept = Vec::new();
    for _ in 0..600 { start_export(&gate, &mut kept); std::thread::sleep(Duration::from_millis(5)); }
    if std::env::args().nth(1).is_some() { std::process::exit(0) }
    *gate.open.lock().unwrap() = true;
    gate.bell.notify_all();
    for thread in kept { thread.join().unwrap(); }
}
