package dev.coppice.control;

import com.codahale.metrics.MetricRegistry;
import dev.coppice.common.config.UserRange;
import dev.coppice.compute.ComputeService;
import dev.coppice.compute.ComputeSettings;
import dev.coppice.compute.ComputeUsers;
import dev.coppice.compute.InterposerLibrary;
import dev.coppice.compute.LocalProcessDriver;
import dev.coppice.compute.PostgresBinaries;
import dev.coppice.compute.TemplateCluster;
import dev.coppice.compute.sandbox.Sandbox;
import dev.coppice.control.api.server.ApiSettings;
import dev.coppice.control.catalog.CatalogFixture;
import dev.coppice.control.catalog.CatalogServer;
import dev.coppice.control.catalog.Steps;
import dev.coppice.control.deletion.RecoveryWindow;
import dev.coppice.control.ephemeral.TimeTravel;
import dev.coppice.storage.PageService;
import java.io.IOException;
import java.net.InetAddress;
import java.net.InetSocketAddress;
import java.net.URI;
import java.net.http.HttpClient;
import java.net.http.HttpRequest;
import java.net.http.HttpResponse;
import java.nio.file.Files;
import java.nio.file.Path;
import java.time.Clock;
import java.util.Optional;
import org.jspecify.annotations.Nullable;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/** A whole control plane over real storage and real computes, without a proxy; reopened as a restarted server would. */
final class ControlFixture implements AutoCloseable {
    private static final int BUFFERS_MB = 16;
    static final int PROXY_PORT = 5433;

    final Path data = CatalogFixture.newDataDirectory();
    private final HttpClient http = HttpClient.newHttpClient();
    private final int suspendTimeoutSeconds;
    private final TimeTravel.Limits timeTravel;
    private final RecoveryWindow recovery;
    private final Steps steps;
    private final PostgresBinaries binaries;
    PageService pages;
    ComputeService computes;
    ControlPlane control;

    ControlFixture(int suspendTimeoutSeconds) throws IOException {
        this(suspendTimeoutSeconds, new TimeTravel.Limits(30, 8));
    }

    ControlFixture(int suspendTimeoutSeconds, TimeTravel.Limits timeTravel) throws IOException {
        this(suspendTimeoutSeconds, timeTravel, new RecoveryWindow(0, 0), Steps.NONE);
    }

    ControlFixture(int suspendTimeoutSeconds, TimeTravel.Limits timeTravel, RecoveryWindow recovery, Steps steps)
            throws IOException {
        this(suspendTimeoutSeconds, timeTravel, recovery, steps, new PostgresBinaries(CatalogFixture.binaries(), 18));
    }

    /** With computes of another Postgres. */
    ControlFixture(PostgresBinaries binaries) throws IOException {
        this(-1, new TimeTravel.Limits(30, 8), new RecoveryWindow(0, 0), Steps.NONE, binaries);
    }

    private ControlFixture(
            int suspendTimeoutSeconds,
            TimeTravel.Limits timeTravel,
            RecoveryWindow recovery,
            Steps steps,
            PostgresBinaries binaries)
            throws IOException {
        this.suspendTimeoutSeconds = suspendTimeoutSeconds;
        this.timeTravel = timeTravel;
        this.recovery = recovery;
        this.steps = steps;
        this.binaries = binaries;
        open();
    }

    void open() throws IOException {
        ComputeUsers users = ComputeUsers.open(data.resolve("users"), "test", UserRange.DEFAULT, Optional.empty());
        Sandbox sandbox = CatalogFixture.sandbox();
        Path interposer = InterposerLibrary.prepare(data.resolve("native"));
        CatalogServer catalog = CatalogServer.start(
                CatalogFixture.binaries(), interposer, users.named("catalog"), sandbox, data, BUFFERS_MB);
        pages = PageService.open(Files.createDirectories(data.resolve("timelines")));
        TemplateCluster.prepare(
                pages, binaries, interposer, users.named(TemplateCluster.USER), sandbox, data.resolve("scratch"));
        computes = new ComputeService(new ComputeService.Parts(
                pages,
                binaries,
                interposer,
                users,
                data.resolve("run"),
                new LocalProcessDriver(sandbox),
                new MetricRegistry(),
                Clock.systemUTC()));
        control = ControlPlane.open(
                new ControlConfiguration(
                        data,
                        ApiSettings.plain(new InetSocketAddress(InetAddress.getLoopbackAddress(), 0)),
                        "127.0.0.1",
                        PROXY_PORT,
                        suspendTimeoutSeconds,
                        BUFFERS_MB,
                        timeTravel,
                        recovery,
                        ComputeSettings.defaults(),
                        _ -> {}),
                catalog,
                pages,
                computes,
                binaries.majorVersion(),
                Clock.systemUTC(),
                steps);
    }

    /** What a kill -9 of the server does, as far as one process can: nothing is suspended, nothing is finished. */
    void abandon() {
        control.abandon();
        computes.close();
        pages.close();
    }

    void shutDown() {
        control.close();
        computes.close();
        pages.close();
    }

    @Override
    public void close() throws IOException {
        shutDown();
        CatalogFixture.delete(data);
    }

    /** An answer of the API. */
    record Answer(int status, JsonNode body) {
        String text(String pointer) {
            return body.at(pointer).asString("");
        }
    }

    Answer get(String path) {
        return call("GET", path, null);
    }

    Answer post(String path, String body) {
        return call("POST", path, body);
    }

    Answer patch(String path, String body) {
        return call("PATCH", path, body);
    }

    Answer delete(String path) {
        return call("DELETE", path, null);
    }

    Answer call(String method, String path, @Nullable String body) {
        return call(method, path, body, Optional.of(control.welcome().apiKey()));
    }

    Answer call(String method, String path, @Nullable String body, Optional<String> key) {
        HttpRequest.Builder request = HttpRequest.newBuilder(
                        URI.create(control.welcome().apiUrl() + path))
                .method(
                        method,
                        body == null ? HttpRequest.BodyPublishers.noBody() : HttpRequest.BodyPublishers.ofString(body));
        key.ifPresent(value -> request.header("Authorization", "Bearer " + value));
        try {
            HttpResponse<String> response = http.send(request.build(), HttpResponse.BodyHandlers.ofString());
            return new Answer(response.statusCode(), JsonMapper.shared().readTree(response.body()));
        } catch (IOException e) {
            throw new IllegalStateException(method + " " + path, e);
        } catch (InterruptedException e) {
            Thread.currentThread().interrupt();
            throw new IllegalStateException(e);
        }
    }
}
