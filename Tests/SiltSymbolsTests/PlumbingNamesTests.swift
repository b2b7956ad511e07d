import SiltSymbols
import Testing

struct PlumbingNamesTests {
    @Test(arguments: [
        "std::function<void (int)>::operator()(int) const", "std::__1::function<void ()>::operator()() const",
        "std::packaged_task<int ()>::operator()()", "std::__1::__function::__func<int, int ()>::operator()()",
        "void std::__invoke_impl<void, f>(std::__invoke_other, f&&)", "std::panicking::try::do_call",
        "<std::sys::thread::unix::Thread>::new::thread_start",
        "<alloc::boxed::Box<dyn core::ops::function::FnOnce<()>> as core::ops::function::FnOnce<()>>::call_once",
        "<&dyn core::ops::function::Fn<(), Output = i32> as core::ops::function::FnOnce<()>>::call_once",
        "<core::panic::unwind_safe::AssertUnwindSafe<f> as core::ops::function::FnOnce<()>>::call_once",
    ])
    func whatCallsWhatItWasGivenIsPlumbing(function: String) {
        #expect(PlumbingNames.isPlumbing(function))
    }

    /// It makes something of its own.
    @Test(arguments: [
        "std::function<void (int)>::function(std::function<void (int)> const&)",
        "std::map<int, int>::operator[](int&&)",
        "<alloc::vec::Vec<u8>>::push", "<std::collections::hash::map::HashMap<u8, u8>>::insert",
        "shop::function<int>::operator()(int)", "std::vector<int>::push_back(int const&)",
    ])
    func whatDoesMoreIsNot(function: String) {
        #expect(!PlumbingNames.isPlumbing(function))
    }
}
