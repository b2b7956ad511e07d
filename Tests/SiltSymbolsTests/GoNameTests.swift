import Testing

@testable import SiltSymbols

struct GoNameTests {
    /// Stacks of Go 1.19's heap profiles, innermost function first.
    @Test(arguments: [
        (["runtime.malg", "runtime.newproc1", "runtime.newproc.func1", "runtime.systemstack"], true),
        (["runtime.allocm", "runtime.newm", "runtime.startm", "runtime.systemstack"], true),
        (["runtime.acquireSudog", "runtime.semacquire1", "runtime.gcMarkDone", "runtime.gcBgMarkWorker"], true),
        (["sync.runtime_notifyListWait", "sync.(*Cond).Wait", "net/http.(*connReader).abortPendingRead"], true),
        (["internal/poll.runtime_Semacquire", "internal/poll.(*fdMutex).rwlock", "main.serve"], true),
        // As they are with the frames that profiles leave out.
        (["runtime.acquireSudog", "net/http.(*persistConn).readLoop"], true),
        (["runtime.acquireSudog", "runtime.selectgo", "main.wait"], true),
        (["main.wait", "runtime.acquireSudog"], false),
        // What a program asks the runtime for, by a writer that leaves the runtime's frames in.
        (["runtime.makeslice", "main.newOrder", "main.main", "runtime.main"], false),
        (["main.newOrder", "main.main", "runtime.main"], false),
        (["sync.(*Pool).pinSlow", "sync.(*Pool).Get", "main.scratch"], false),
        (["main.wait", "sync.runtime_notifyListWait", "sync.(*Cond).Wait"], false),
        (["runtime/pprof.lockProfiles", "runtime/pprof.Profiles"], false),
        ([], false),
    ])
    func whatTheRuntimeKeepsForItselfIsKnownByItsStack(_ stack: [String], _ isKept: Bool) {
        #expect(GoName.isKeptByRuntime(stack) == isKept)
    }

    @Test func whatTheRuntimeMapsIsItsHeap() {
        #expect(["runtime.mmap", "runtime.mmap.func1", "runtime.callCgoMmap.abi0"].allSatisfy(GoName.maps))
        #expect(!["main.mmap", "runtime.mallocgc", "x_cgo_mmap", "syscall.mmap"].contains(where: GoName.maps))
    }
}
