/// The base with bytes of it changed: four bytes of the input each, the place in three and what is put there.
///
/// With an odd first place the base is cut there instead.
package func damaged(_ base: [UInt8], by input: some Collection<UInt8>) -> [UInt8] {
    let input = Array(input)
    var bytes = base
    for index in stride(from: 0, to: input.count - 3, by: 4) {
        let place = (Int(input[index]) | Int(input[index + 1]) << 8 | Int(input[index + 2]) << 16) % bytes.count
        if index == 0, input[3] & 0xF0 == 0xF0 {
            bytes.removeLast(bytes.count - max(1, place))
        } else {
            bytes[place] = input[index + 3]
        }
    }
    return bytes
}
