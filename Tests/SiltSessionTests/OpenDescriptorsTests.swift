import Glibc
import SiltEvents
import SiltSystem
import Testing

@testable import SiltHeap
@testable import SiltSession

/// What is told of descriptors that are open, by looks at this process.
struct OpenDescriptorsTests {
    /// What came between two looks was not all opened at the second: a busy machine looks seldom.
    @Test func anAgeIsThatOfTheThingThoughNobodyLookedForLong() throws {
        var descriptors = OpenDescriptors()
        descriptors.begin(getpid())
        let began = Clock.monotonicSeconds
        let numbers = (0..<9).map { _ in open("/dev/null", O_RDONLY | O_CLOEXEC) }
        defer { for number in numbers { close(number) } }
        usleep(400_000)
        let live = Dictionary(
            uniqueKeysWithValues: numbers.enumerated().map { index, number in
                (UInt64(number), HeldHandle(serial: UInt64(index), stack: StackID(rawValue: 1), isFound: false))
            }
        )
        let found = descriptors.look(getpid(), live: live, isMark: true) { live }
        let example = try #require(found?.examples.first)
        #expect(example.handle == UInt64(numbers[4]))
        #expect((0.1...0.9).contains((example.since - began) / (Clock.monotonicSeconds - began)))
    }

    /// Of thousands of connections of others no text is made: that would take longer than all that silt does beside it.
    @Test func theWordsOfASocketAreFoundAmongThoseOfABusyMachine() {
        let row = { (number: Int, inode: Int) in
            " \(number): 0100007F:1F90 0100007F:C350 06 00000000:00000000 03:00000F12 00000000     0        0 \(inode) 3 0\n"
        }
        let head = "  sl  local_address rem_address   st tx_queue rx_queue tr tm->when retrnsmt   uid  timeout inode\n"
        let own =
            "  17: 0100007F:1F90 0100007F:C351 08 00000000:00000000 00:00000000 00000000   102        0 4711 1 0 20\n"
        let text = head + (0..<20_000).map { row($0, 0) }.joined() + own + row(20_001, 47_110)
        let found = DescriptorWords.sockets([4711, 8], in: Array(text.utf8), "tcp")
        #expect(found == [4711: "tcp 127.0.0.1:8080 – 127.0.0.1:50001, close-wait"])
        let unix =
            "Num RefCount Protocol Flags Type St Inode Path\n0000: 00000002 00000000 00010000 0001 01 4711 /a b\n"
            + "0000: 00000003 00000000 00000000 0001 03   12\n"
        #expect(DescriptorWords.sockets([4711, 12], in: Array(unix.utf8), "unix") == [4711: "unix /a b", 12: "unix"])
    }

    /// A record that is on its way is waited for only as long as none was seen to be missing.
    @Test func whatOpensUnseenIsFoundInOneLookFromThenOn() throws {
        var descriptors = OpenDescriptors()
        descriptors.begin(getpid())
        // Numbers that nobody else in this process had when it was looked at first.
        let open = { fcntl(0, F_DUPFD_CLOEXEC, 700) }
        let first = open()
        try #require(first >= 0)
        defer { close(first) }
        func came(_ known: [Int32] = []) -> [UInt64] {
            let live = Dictionary(
                uniqueKeysWithValues: known.map {
                    (UInt64($0), HeldHandle(serial: UInt64($0), stack: StackID(rawValue: 1), isFound: false))
                }
            )
            return descriptors.look(getpid(), live: [:], isMark: false) { live }?.came ?? []
        }
        let mine = { (numbers: [UInt64], fd: Int32) in numbers.contains(UInt64(fd)) }
        #expect(!mine(came(), first) && !mine(came(), first) && mine(came(), first))
        let (second, third) = (open(), open())
        defer { for number in [second, third] { close(number) } }
        let found = came([third])
        #expect(mine(found, second) && !mine(found, third))
    }

    /// What was closed, and the number opened for something else, while the look went on, is a line's own.
    @Test func aNumberThatIsUsedAgainDuringALookIsNotSaidToBeGone() throws {
        var descriptors = OpenDescriptors()
        descriptors.begin(getpid())
        let stranger = fcntl(0, F_DUPFD_CLOEXEC, 700)
        try #require(stranger >= 0)
        defer { close(stranger) }
        func handle(_ serial: UInt64) -> HeldHandle {
            HeldHandle(serial: serial, stack: StackID(rawValue: 1), isFound: false)
        }
        // Closed before the look, and open again, as a number that nobody has, when more events are read.
        let number: UInt64 = 900
        func gone(_ again: [UInt64: HeldHandle]?) -> [UInt64] {
            descriptors.look(getpid(), live: [number: handle(1)], isMark: true) { again }?.gone ?? []
        }
        #expect(gone([number: handle(2)]) == [])
        #expect(gone([number: handle(1)]) == [number])
        #expect(gone([:]) == [])
        #expect(gone(nil) == [number])
    }
}
