/*
 * parser SECONDS [fixed]: a recursive-descent parser of sums and products. Each document is parsed
 * and its tree freed, but for the nodes of negated terms, which nobody owns. Prints bytes leaked,
 * seconds.
 */
#include <chrono>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <string>
#include <thread>
#include <vector>

#define NOINLINE __attribute__((noinline))

struct Node {
    char kind = 0;
    double value = 0;
    std::vector<Node *> children;
};

struct Negation {
    Node *operand = nullptr;
    char name[123] = "negation";
};

static bool fixed;
static size_t leaked;
static std::vector<Negation *> *negations = new std::vector<Negation *>;

class Parser {
  public:
    explicit Parser(const std::string &text) : text(text) {}

    NOINLINE Node *sum() {
        Node *left = product();
        while (at < text.size() && (text[at] == '+' || text[at] == '-')) {
            left = join(text[at++], left, product());
        }
        return left;
    }

    NOINLINE Node *product() {
        Node *left = factor();
        while (at < text.size() && (text[at] == '*' || text[at] == '/')) {
            left = join(text[at++], left, factor());
        }
        return left;
    }

    NOINLINE Node *factor() {
        if (text[at] == '!') {
            at++;
            return negated(factor());
        }
        if (text[at] == '(') {
            at++;
            Node *inner = sum();
            at++;
            return inner;
        }
        Node *number = new Node;
        number->kind = 'n';
        number->value = text[at++] - '0';
        return number;
    }

  private:
    NOINLINE Node *join(char kind, Node *left, Node *right) {
        Node *node = new Node;
        node->kind = kind;
        node->children.push_back(left);
        node->children.push_back(right);
        return node;
    }

    NOINLINE Node *negated(Node *operand) {
        Negation *negation = new Negation;
        negation->operand = operand;
        if (fixed) {
            delete negation;
        } else {
            negations->push_back(negation);
            leaked += sizeof(Negation);
        }
        operand->value = -operand->value;
        return operand;
    }

    const std::string &text;
    size_t at = 0;
};

static void release(Node *node) {
    for (Node *child : node->children) {
        release(child);
    }
    delete node;
}

/* An expression of random depth. */
static void write_expression(std::string &out, unsigned &state, int depth) {
    state = state * 1103515245u + 12345u;
    unsigned choice = (state >> 16) % 8;
    if (depth > 12 || choice < 2) {
        out += (char)('0' + choice);
    } else if (choice == 2) {
        out += '!';
        write_expression(out, state, depth + 1);
    } else {
        out += '(';
        write_expression(out, state, depth + 1);
        out += "+-*/"[choice % 4];
        write_expression(out, state, depth + 1);
        out += ')';
    }
}

int main(int argc, char **argv) {
    double seconds = argc > 1 ? atof(argv[1]) : 4;
    fixed = argc > 2 && strcmp(argv[2], "fixed") == 0;
    negations->reserve(1 << 22);
    auto start = std::chrono::steady_clock::now();
    auto elapsed = [&] {
        return std::chrono::duration<double>(std::chrono::steady_clock::now() - start).count();
    };
    unsigned state = 1;
    for (long tick = 1; tick <= (long)(seconds * 200); tick++) {
        while (elapsed() * 200 < (double)tick) {
            std::this_thread::sleep_for(std::chrono::microseconds(500));
        }
        std::string text;
        write_expression(text, state, 0);
        Parser parser(text);
        release(parser.sum());
    }
    printf("%zu %.3f\n", leaked, elapsed());
    return 0;
}
