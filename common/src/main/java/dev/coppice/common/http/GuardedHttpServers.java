package dev.coppice.common.http;

import com.sun.net.httpserver.Filter;
import com.sun.net.httpserver.HttpContext;
import com.sun.net.httpserver.HttpHandler;
import com.sun.net.httpserver.HttpServer;
import com.sun.net.httpserver.HttpsConfigurator;
import com.sun.net.httpserver.HttpsServer;
import com.sun.net.httpserver.spi.HttpServerProvider;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.util.concurrent.Executor;

/** The JDK's HTTP servers with {@link HttpServerLimits} and a filter before every context, for libraries that make the context. */
public final class GuardedHttpServers extends HttpServerProvider {
    private final Filter guard;

    /** @param guard asked first, in all contexts */
    public GuardedHttpServers(Filter guard) {
        this.guard = guard;
        HttpServerLimits.apply();
    }

    @Override
    public HttpServer createHttpServer(InetSocketAddress address, int backlog) throws IOException {
        return new Plain(HttpServer.create(address, backlog), guard);
    }

    @Override
    public HttpsServer createHttpsServer(InetSocketAddress address, int backlog) throws IOException {
        return new Secure(HttpsServer.create(address, backlog), guard);
    }

    private static HttpContext guarded(HttpContext context, Filter guard) {
        context.getFilters().add(guard);
        return context;
    }

    /** Hands everything on, but for the filter. */
    private static final class Plain extends HttpServer {
        private final HttpServer server;
        private final Filter guard;

        Plain(HttpServer server, Filter guard) {
            this.server = server;
            this.guard = guard;
        }

        @Override
        public void bind(InetSocketAddress address, int backlog) throws IOException {
            server.bind(address, backlog);
        }

        @Override
        public void start() {
            server.start();
        }

        @Override
        public void setExecutor(Executor executor) {
            server.setExecutor(executor);
        }

        @Override
        public Executor getExecutor() {
            return server.getExecutor();
        }

        @Override
        public void stop(int delay) {
            server.stop(delay);
        }

        @Override
        public HttpContext createContext(String path, HttpHandler handler) {
            return guarded(server.createContext(path, handler), guard);
        }

        @Override
        public HttpContext createContext(String path) {
            return guarded(server.createContext(path), guard);
        }

        @Override
        public void removeContext(String path) {
            server.removeContext(path);
        }

        @Override
        public void removeContext(HttpContext context) {
            server.removeContext(context);
        }

        @Override
        public InetSocketAddress getAddress() {
            return server.getAddress();
        }
    }

    /** The same with TLS; the JDK's two classes have no common one that could be handed to. */
    private static final class Secure extends HttpsServer {
        private final HttpsServer server;
        private final Filter guard;

        Secure(HttpsServer server, Filter guard) {
            this.server = server;
            this.guard = guard;
        }

        @Override
        public void setHttpsConfigurator(HttpsConfigurator configurator) {
            server.setHttpsConfigurator(configurator);
        }

        @Override
        public HttpsConfigurator getHttpsConfigurator() {
            return server.getHttpsConfigurator();
        }

        @Override
        public void bind(InetSocketAddress address, int backlog) throws IOException {
            server.bind(address, backlog);
        }

        @Override
        public void start() {
            server.start();
        }

        @Override
        public void setExecutor(Executor executor) {
            server.setExecutor(executor);
        }

        @Override
        public Executor getExecutor() {
            return server.getExecutor();
        }

        @Override
        public void stop(int delay) {
            server.stop(delay);
        }

        @Override
        public HttpContext createContext(String path, HttpHandler handler) {
            return guarded(server.createContext(path, handler), guard);
        }

        @Override
        public HttpContext createContext(String path) {
            return guarded(server.createContext(path), guard);
        }

        @Override
        public void removeContext(String path) {
            server.removeContext(path);
        }

        @Override
        public void removeContext(HttpContext context) {
            server.removeContext(context);
        }

        @Override
        public InetSocketAddress getAddress() {
            return server.getAddress();
        }
    }
}
