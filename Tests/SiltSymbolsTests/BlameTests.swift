import SiltEvents
import Testing

@testable import SiltSymbols

@Suite struct BlameTests {
    /// A stack, outermost frame first, a letter each: p a function of the program, l one of a library, i one that a signal
    /// interrupted, u code of the program without a name, w such code of a library, c a carrier, a an allocator, k one that
    /// calls nothing of the program.
    @Test(arguments: [
        ("", nil), ("ppa", 1), ("pca", 0), ("cca", 1), ("aa", 1), ("ua", 0), ("cua", 1),
        // What an allocator calls is part of it, if there is somebody to blame outside.
        ("pkp", 0), ("ckp", 2), ("ukp", 0),
        // A name further out says more, but not of another's code.
        ("pu", 0), ("lu", 1), ("plu", 0), ("lw", 0), ("plw", 1),
        // A handler is not called by what it interrupts.
        ("piu", 2), ("pkip", 3), ("pkicp", 4), ("aikp", 1), ("kip", 2),
    ])
    func theInnermostOfTheMostProgramLikeFramesIsBlamed(stack: String, expected: Int?) {
        var blame = Blame()
        for (index, letter) in stack.enumerated() {
            let kind: FunctionKind =
                switch letter {
                case "p", "l", "i": .program
                case "u", "w": .unnamed
                case "c": .carrier
                default: .allocator
                }
            blame.enter(
                FrameID(index: index),
                kind: kind,
                isOfProgram: "piu".contains(letter),
                isClosedAllocator: letter == "k",
                isInterrupted: letter == "i"
            )
        }
        #expect(blame.frame == expected.map(FrameID.init(index:)) ?? .none, "\(stack)")
    }
}
