import Foundation

// leaks_swift.swift [rounds]: each function leaks through another part of the standard library.
// A line that is to be blamed ends in a comment: leak, and what its function's name contains.
#if canImport(Glibc)
import Glibc
#endif

final class Order {
    var note: [UInt8]
    var next: Order?
    init(size: Int) { note = [UInt8](repeating: 7, count: size) }  // leak: Order.init(size:
}
final class Session { var a = 1, b = 2, c = 3, d = 4, e = 5 }

protocol Store { mutating func put(_ value: Int) }
struct ArrayStore: Store {
    var rows: [[Int]] = []
    @inline(never) mutating func put(_ value: Int) {
        rows.append(Array(repeating: value, count: 61))  // leak: ArrayStore.put
    }
}
nonisolated(unsafe) var sessions: [Session] = []
nonisolated(unsafe) var orders: [Order] = []
nonisolated(unsafe) var names: [Int: String] = [:]
nonisolated(unsafe) var words: [String] = []
nonisolated(unsafe) var blobs: [Data] = []
nonisolated(unsafe) var works: [() -> Int] = []
nonisolated(unsafe) var sets: [Set<Int>] = []

struct Shop {
    @inline(never) func openSession() {
        sessions.append(Session())  // leak: Shop.openSession
    }
    @inline(never) func order(_ size: Int) {
        orders.append(Order(size: size))  // leak: Shop.order(
    }
    @inline(never) func name(_ key: Int) {
        names[key] = String(repeating: "n", count: 300)  // leak: Shop.name(
    }
    @inline(never) func word(_ key: Int) {
        words.append("a word that is longer than fifteen bytes \(key)")  // leak: Shop.word(
    }
    @inline(never) func blob() {
        blobs.append(Data(count: 777))  // leak: Shop.blob(
    }
    @inline(never) func closure(_ key: Int) {
        let big = (key, key, key, key, key, key, key)
        works.append { big.0 + big.6 }  // leak: Shop.closure(
    }
    @inline(never) func set(_ key: Int) {
        sets.append(Set(key..<(key + 33)))  // leak: Shop.set(
    }
    @inline(never) func mapped(_ key: Int) {
        let blocks = (0..<3).map { _ in malloc(203) }  // leak: Shop.mapped(
        orders.last?.note[0] = UInt8(blocks.count)
    }
}
@inline(never) func generic<T>(_ value: T, into list: inout [[T]]) {
    list.append([T](repeating: value, count: 19))  // leak: generic<A>(_: A, into:
}
let rounds = CommandLine.arguments.dropFirst().first.flatMap { Int($0) } ?? 50
let shop = Shop()
var store: any Store = ArrayStore()
var lists: [[Int64]] = []
for i in 0..<rounds {
    shop.openSession()
    shop.order(419)
    shop.name(i)
    shop.word(i)
    shop.blob()
    shop.closure(i)
    shop.set(i)
    shop.mapped(i)
    store.put(i)
    generic(Int64(i), into: &lists)
}
print(orders.count + lists.count)
_exit(0)
