package dev.coppice.proxy;

import com.codahale.metrics.MetricRegistry;
import dev.coppice.proxy.route.RoutedEndpoint;
import dev.coppice.proxy.tls.TlsSettings;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.Path;
import java.sql.Connection;
import java.sql.DriverManager;
import java.sql.SQLException;
import java.util.List;
import java.util.Objects;
import java.util.Properties;
import java.util.concurrent.CompletableFuture;
import org.junit.jupiter.api.extension.AfterAllCallback;
import org.junit.jupiter.api.extension.BeforeAllCallback;
import org.junit.jupiter.api.extension.BeforeEachCallback;
import org.junit.jupiter.api.extension.ExtensionContext;

/**
 * A proxy before one real Postgres that plays the compute of every endpoint. As an extension it gives each test class a
 * proxy of its own, before a Postgres that all classes share; {@link #start} makes both.
 */
@SuppressWarnings("NullAway.Init")
final class ProxyFixture implements BeforeAllCallback, BeforeEachCallback, AfterAllCallback, AutoCloseable {
    static final byte[] SECRET = "a secret for tests".getBytes(java.nio.charset.StandardCharsets.UTF_8);
    static final String PASSWORD = "correct horse";
    static final RoutedEndpoint MAIN = new RoutedEndpoint("ep-main-1", "main", "project-1");
    static final RoutedEndpoint DEV = new RoutedEndpoint("ep-dev-2", "dev", "project-1");

    final FakeDirectory directory = new FakeDirectory();
    final MetricRegistry metrics = new MetricRegistry();
    private final BufferLeaks leaks = new BufferLeaks();
    TestPostgres postgres;
    Path tlsDirectory;
    ProxyServer proxy;

    static ProxyFixture start() throws IOException, InterruptedException {
        ProxyFixture fixture = new ProxyFixture();
        fixture.begin(createPostgres());
        return fixture;
    }

    private static TestPostgres createPostgres() throws IOException, InterruptedException {
        return TestPostgres.create(List.of(
                "create role alice superuser login password '" + TestVerifiers.verifier(PASSWORD, "salt of alice")
                        + "'",
                "alter role coppice_admin password '" + TestVerifiers.verifier(PASSWORD, "salt of admin") + "'",
                "create database shop owner alice"));
    }

    private void begin(TestPostgres compute) throws IOException {
        postgres = compute;
        tlsDirectory = Files.createTempDirectory(TestDirectories.base(), "tls-");
        directory.endpoints.addAll(List.of(MAIN, DEV));
        directory.defaults.add(MAIN);
        directory.verifiers.put("alice", TestVerifiers.verifier(PASSWORD, "salt of alice"));
        directory.verifiers.put("coppice_admin", TestVerifiers.verifier(PASSWORD, "salt of admin"));
        awake();
        proxy = start(configuration(), metrics);
    }

    @Override
    public void beforeAll(ExtensionContext context) throws IOException {
        begin(context.getRoot()
                .getStore(ExtensionContext.Namespace.GLOBAL)
                .computeIfAbsent(
                        TestPostgres.class,
                        _ -> {
                            try {
                                return createPostgres();
                            } catch (IOException | InterruptedException e) {
                                throw new IllegalStateException(e);
                            }
                        },
                        TestPostgres.class));
    }

    @Override
    public void beforeEach(ExtensionContext context) {
        awake();
    }

    @Override
    public void afterAll(ExtensionContext context) throws IOException, InterruptedException {
        proxy.close();
        TestDirectories.delete(tlsDirectory);
        leaks.assertNone();
    }

    ProxyServer start(ProxyConfiguration configuration, MetricRegistry registry) {
        return ProxyServer.start(configuration, directory, SECRET, registry);
    }

    ProxyConfiguration configuration() {
        return change().build();
    }

    /** What the proxies of the tests have in common, to be changed. */
    ProxyConfiguration.Builder change() {
        return ProxyConfiguration.builder(
                new InetSocketAddress(InetAddress.getLoopbackAddress(), 0), new TlsSettings.SelfSigned(tlsDirectory));
    }

    /** Every wake answers at once. */
    void awake() {
        directory.wake = () -> CompletableFuture.completedFuture(postgres.socket());
        directory.running = postgres::running;
        directory.wakes.set(0);
        directory.woken.clear();
    }

    int open() {
        return open(metrics);
    }

    static int open(MetricRegistry registry) {
        return gauge(registry, "proxy.connections.open");
    }

    static int gauge(MetricRegistry registry, String name) {
        return (int) Objects.requireNonNull(registry.getGauges().get(name)).getValue();
    }

    /** A number of the pools, as {@code proxy.pool.<name>} says it now. */
    int poolGauge(String name) {
        return gauge(metrics, "proxy.pool." + name);
    }

    int port() {
        return proxy.address().getPort();
    }

    Connection connect(String database, String... properties) throws SQLException {
        return connect(port(), database, "alice", PASSWORD, properties);
    }

    static Connection connect(int port, String database, String user, String password, String... properties)
            throws SQLException {
        Properties all = new Properties();
        all.setProperty("user", user);
        all.setProperty("password", password);
        all.setProperty("sslmode", "disable");
        all.setProperty("PGDBNAME", database);
        for (int i = 0; i < properties.length; i += 2) {
            all.setProperty(properties[i], properties[i + 1]);
        }
        return DriverManager.getConnection("jdbc:postgresql://127.0.0.1:" + port + "/", all);
    }

    static String one(Connection connection, String query) throws SQLException {
        try (var statement = connection.createStatement();
                var rows = statement.executeQuery(query)) {
            rows.next();
            return rows.getString(1);
        }
    }

    @Override
    public void close() throws IOException, InterruptedException {
        proxy.close();
        postgres.close();
        TestDirectories.delete(tlsDirectory);
    }
}
