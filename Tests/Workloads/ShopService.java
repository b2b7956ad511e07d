import com.sun.net.httpserver.HttpServer;
import java.net.InetSocketAddress;
import java.util.Collections;
import java.util.LinkedHashMap;
import java.util.Map;
import java.util.concurrent.Executors;
import java.util.concurrent.ThreadLocalRandom;

/** ShopService PORT LIBRARY [fixed]: an HTTP server with a cache of 1,000 pages, which notes every order in native code. */
public class ShopService {
    static final Map<Integer, byte[]> PAGES =
        Collections.synchronizedMap(new LinkedHashMap<>(1000, 0.75f, true) {
            @Override
            protected boolean removeEldestEntry(Map.Entry<Integer, byte[]> eldest) {
                return size() > 1000;
            }
        });

    static native void noteOrder(boolean fixed);

    public static void main(String[] arguments) throws Exception {
        System.load(arguments[1]);
        boolean fixed = arguments.length > 2;
        HttpServer server = HttpServer.create(new InetSocketAddress("127.0.0.1", Integer.parseInt(arguments[0])), 50);
        server.createContext("/order", exchange -> {
            int article = (int) (3000 * Math.pow(ThreadLocalRandom.current().nextDouble(), 3));
            byte[] page = PAGES.computeIfAbsent(article, key -> new byte[2000]);
            noteOrder(fixed);
            byte[] body = ("ok " + page.length + "\n").getBytes();
            exchange.sendResponseHeaders(200, body.length);
            exchange.getResponseBody().write(body);
            exchange.close();
        });
        server.setExecutor(Executors.newFixedThreadPool(4));
        server.start();
    }
}
