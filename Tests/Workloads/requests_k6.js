// 50 requests that succeed, and one that fails for each of two users.
import http from "k6/http";

export const options = { scenarios: { all: { executor: "per-vu-iterations", vus: 2, iterations: 25 } } };

export default function () {
    http.get(`${__ENV.URL}/ok`);
    if (__ITER == 0) {
        http.get(`${__ENV.URL}/bad`);
    }
}
