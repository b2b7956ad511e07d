import SiltHunt
import SiltPlan
import SiltTestSupport
import Testing

/// What k6 1.1 prints at its end; `LoadScriptTests` runs it.
private let k6Text = """
      █ TOTAL RESULTS

        HTTP
        http_req_duration.......................................................: avg=225.22µs min=33.61µs med=89.12µs  max=1.34ms
          { expected_response:true }............................................: avg=224.79µs min=33.61µs med=85.73µs  max=1.34ms
        http_req_failed.........................................................: 5.66%  3 out of 53
        http_reqs...............................................................: 53     7182.968504/s

        EXECUTION
        iteration_duration......................................................: avg=277.84µs min=50.69µs med=112.38µs max=1.84ms
        iterations..............................................................: 50     6776.385381/s

        NETWORK
        data_received...........................................................: 6.5 kB 878 kB/s
        data_sent...............................................................: 4.0 kB 547 kB/s

    running (00m00.0s), 0/2 VUs, 50 complete and 0 interrupted iterations
    default ✓ [ 100% ] 2 VUs  00m00.0s/10m0s  50/50 shared iters
    """
/// What k6 1.1 writes besides with --summary-export=/dev/stdout, shortened.
private let k6Document = """
    {
        "metrics": {
            "http_reqs": {
                "count": 53,
                "rate": 14236.3
            },
            "http_req_failed": {
                "passes": 3,
                "fails": 50,
                "value": 0.05660377358490566
            }
        },
        "root_group": {
            "name": "",
            "path": ""
        }
    }
    """
/// What tools and versions print that no package manager here has, written after their documented formats and sources.
private let olderK6Text = """
         checks.........................: 100.00% ✓ 200       ✗ 0
         data_received..................: 2.2 MB  221 kB/s
       ✓ http_req_failed................: 1.50%   ✓ 3         ✗ 197
         http_reqs......................: 200     19.9/s
    """
private let ratioK6Text = """
         http_req_failed................: 1.50%
         http_reqs......................: 200     19.9/s
    """
private let bombardierText = """
    Bombarding http://127.0.0.1:8080 with 1060 request(s) using 10 connection(s)

     1060 / 1060 [=======================] 100.00% 5000/s 0s
    Done!
    Statistics        Avg      Stdev        Max
      Reqs/sec      5000.12    300.50    5600.01
      Latency        1.99ms   500.00us    12.00ms
      HTTP codes:
        1xx - 0, 2xx - 1000, 3xx - 10, 4xx - 20, 5xx - 30
        others - 7
      Errors:
        dial tcp 127.0.0.1:8080: connect: connection refused - 7
      Throughput:     1.20MB/s
    """
private let vegetaText = """
    Requests      [total, rate, throughput]         1200, 120.00, 65.87
    Duration      [total, attack, wait]             10.094965987s, 9.949883921s, 145.082066ms
    Latencies     [min, mean, 50, 90, 95, 99, max]  90.438129ms, 113.172398ms, 108.272568ms, 140.18235ms, 1s, 1s, 1s
    Bytes In      [total, mean]                     3714690, 3095.57
    Bytes Out     [total, mean]                     0, 0.00
    Success       [ratio]                           55.42%
    Status Codes  [code:count]                      0:534  200:660  302:5  500:1
    Error Set:
    Get "http://127.0.0.1:6060": dial tcp 127.0.0.1:6060: connection refused
    """
private let ohaText = """
    Summary:
      Success rate:\t100.00%
      Total:\t1.0021 secs
      Requests/sec:\t224.5283

    Response time histogram:
      0.000 [1]   |
      0.002 [224] |■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■■

    Status code distribution:
      [200] 220 responses
      [503] 5 responses

    Error distribution:
      [4] aborted due to deadline
      [2] connection closed before message completed
    """
private let siegeText = """
    Transactions:\t\t         117 hits
    Availability:\t\t       97.50 %
    Elapsed time:\t\t        0.51 secs
    Successful transactions:         117
    Failed transactions:\t           3
    """
private let wrkText = """
      51633 requests in 1.00s, 7.39MB read
      Socket errors: connect 1, read 2, write 3, timeout 4
      Non-2xx or 3xx responses: 33
    """
private let abText = """
    Complete requests:      100
    Failed requests:        92
       (Connect: 0, Receive: 1, Length: 90, Exceptions: 1)
    Non-2xx responses:      5
    """

@Suite
struct RequestCountTests {
    @Test(arguments: [
        (k6Text, RequestCount(requests: 53, failed: 3)),
        (olderK6Text, RequestCount(requests: 200, failed: 3)),
        (ratioK6Text, RequestCount(requests: 200, failed: 3)),
        (bombardierText, RequestCount(requests: 1060, failed: 57)),
        (vegetaText, RequestCount(requests: 1200, failed: 535)),
        (ohaText, RequestCount(requests: 225, failed: 7)),
        (siegeText, RequestCount(requests: 120, failed: 3)),
        (wrkText, RequestCount(requests: 51633, failed: 43)),
        (abText, RequestCount(requests: 100, failed: 7)),
        ("Total of 12 requests completed", RequestCount(requests: 12)),
        (
            "Requests      [total, rate]  1000, 120.00, 3\nSuccess       [ratio]   99.5%",
            RequestCount(requests: 1000, failed: 5)
        ),
    ])
    func textsOfLoadToolsAreRead(text: String, count: RequestCount) {
        #expect(RequestCount(output: text) == count)
    }

    @Test(arguments: [
        (
            #"{"spec":{"numberOfConnections":10},"result":{"bytesRead":1,"req1xx":0,"req2xx":1000,"req3xx":10,"req4xx":20,"#
                + #""req5xx":30,"others":7,"errors":[{"description":"dial tcp","count":7}],"rps":{"mean":5000.5}}}"#,
            RequestCount(requests: 1060, failed: 57)
        ),
        (
            #"{"latencies":{"total":1},"bytes_in":{"total":1,"mean":1},"duration":9949883921,"requests":1200,"#
                + #""rate":120.6,"throughput":65.8,"success":0.55,"status_codes":{"0":534,"200":660,"302":5,"500":1},"#
                + #""errors":["Get \"http://127.0.0.1:6060\": dial tcp {"]}"#,
            RequestCount(requests: 1200, failed: 535)
        ),
        (
            """
            {
              "summary": { "successRate": 1.0, "total": 1.0, "requestsPerSec": 224.5 },
              "responseTimeHistogram": { "0.001": 220 },
              "statusCodeDistribution": { "200": 220, "503": 5 },
              "errorDistribution": { "aborted due to deadline": 4, "connection closed": 2 }
            }
            """, RequestCount(requests: 225, failed: 7)
        ),
        (
            #"{"root_group":{"name":""},"metrics":{"http_req_failed":{"type":"rate","contains":"default","values":"#
                + #"{"rate":0.02,"passes":4,"fails":196}},"http_reqs":{"type":"counter","values":{"count":200,"rate":19.9}}}}"#,
            RequestCount(requests: 200, failed: 4)
        ),
        (
            #"{"metrics":{"http_reqs":{"count":200,"rate":19.9},"http_req_failed":{"passes":4,"fails":196,"value":0.02}}}"#,
            RequestCount(requests: 200, failed: 4)
        ),
    ])
    func documentsOfLoadToolsAreRead(text: String, count: RequestCount) {
        #expect(RequestCount(output: text) == count)
        #expect(RequestCount(output: "starting\n" + text + "\ndone\n") == count)
    }

    @Test func severalToolsAddUp() {
        let all = [wrkText, abText, #"{"transactions": 5, "failed_transactions": 1}"#, wrkText].joined(separator: "\n")
        #expect(RequestCount(output: all) == RequestCount(requests: 2 * 51633 + 106, failed: 2 * 43 + 7 + 1))
    }

    /// Its JSON may come before its text, after it, or alone; two runs are two.
    @Test func whatK6SaysTwiceCountsOnce() {
        let once = RequestCount(requests: 53, failed: 3)
        #expect(RequestCount(output: k6Document + "\n" + k6Text) == once)
        #expect(RequestCount(output: k6Text + "\n" + k6Document) == once)
        #expect(RequestCount(output: k6Document) == once)
        let both = k6Text + "\n" + k6Document + "\n"
        #expect(RequestCount(output: both + both) == RequestCount(requests: 106, failed: 6))
        #expect(RequestCount(output: both + abText) == RequestCount(requests: 153, failed: 10))
    }

    @Test(arguments: [
        (wrkText + "\nsilt: requests=12", RequestCount(requests: 12)),
        ("silt: requests=12 failed=3\n" + wrkText, RequestCount(requests: 12, failed: 3)),
        ("silt: requests=12 failed=3\nsilt: requests=10 failed=1", RequestCount(requests: 22, failed: 4)),
        ("  silt:  requests=0  ", RequestCount(requests: 0)),
    ])
    func theScriptsOwnWordWins(text: String, count: RequestCount) {
        #expect(RequestCount(output: text) == count)
    }

    @Test(arguments: [
        "", "hello", "silt: requests=many", "silt: requests=-1", "silt: requests=99999999999999999999", "42 requests",
        "many requests in 1.00s, 7MB read", #"{"requests": 5}"#, #"{"transactions": 1.5, "failed_transactions": 0}"#,
        #"{"metrics": {"http_reqs": {"rate": 1}}}"#, "GET: 100000.00 requests per second, p50=0.215 msec",
        "\"test\",\"rps\"\n\"SET\",\"166666.67\"", "http_reqs: many", "[200] OK", "requests: 30 total",
    ])
    func otherOutputsTellOfNoRequests(text: String) {
        #expect(RequestCount(output: text) == nil)
    }

    @Test func coloredLinesAndThoseThatOverwriteEachOtherAreRead() {
        let text = "50%\r100%\r\u{1b}[32m  10 requests in \u{1b}[1;31m1.00s\u{1b}[0m, 7MB read\r\n"
        #expect(RequestCount(output: text) == RequestCount(requests: 10))
    }

    @Test(arguments: [
        "{\n" + wrkText, "{\"a\": \"unclosed\n" + wrkText, "{}\n" + wrkText + "\n{\"a\": [", "{not: json}\n" + wrkText,
        String(repeating: "x", count: 100_000) + "\n" + wrkText,
        String(repeating: "{[", count: 1 << 20) + "\n" + wrkText,
    ])
    func whatLooksLikeADocumentHidesNoLines(text: String) {
        #expect(RequestCount(output: text) == RequestCount(requests: 51633, failed: 43))
    }

    @Test func theSumStopsAtTheLargestNumber() {
        let text = String(repeating: "999999999999999 requests in 1.00s, 7MB read\n", count: 20000)
        #expect(RequestCount(output: text) == RequestCount(requests: .max))
    }

    @Test(arguments: [wrkText, bombardierText, vegetaText, k6Text, #"{"transactions": 5, "failed_transactions": 1}"#])
    func itDoesNotMatterInWhatPiecesTheOutputComes(text: String) {
        for size in [1, 2, 3, 7, 64] {
            var counter = RequestCounter()
            let bytes = Array(text.utf8)
            for start in stride(from: 0, to: bytes.count, by: size) {
                counter.add(bytes[start..<min(bytes.count, start + size)])
                _ = counter.count
            }
            #expect(counter.count == RequestCount(output: text))
        }
    }
}
