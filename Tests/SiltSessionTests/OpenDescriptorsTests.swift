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
        let found = descriptors.look(getpid(), live: live, isMark: true)
        let example = try #require(found?.examples.first)
        #expect(example.handle == UInt64(numbers[4]))
        #expect((0.1...0.9).contains((example.since - began) / (Clock.monotonicSeconds - began)))
    }
}
