package dev.coppice.control;

import dev.coppice.control.api.server.ApiSettings;
import dev.coppice.control.catalog.Catalog;
import dev.coppice.control.catalog.model.ApiKey;
import dev.coppice.control.secret.Tokens;
import java.io.IOException;
import java.net.InetSocketAddress;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.nio.file.StandardCopyOption;
import java.nio.file.attribute.PosixFilePermissions;
import java.time.Clock;
import java.time.temporal.ChronoUnit;
import java.util.Map;
import java.util.TreeMap;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.json.JsonMapper;

/**
 * The address and key that the command line uses, in {@code cli.json} (mode 0600) of the data directory. The catalog has only
 * the key's hash, so a lost file is replaced by one with a new key.
 */
record CliAccess(String apiUrl, String apiKey) {
    private static final String FILE = "cli.json";
    private static final JsonMapper JSON = JsonMapper.shared();

    /** Reads the file and makes it say what is true now; makes an API key if it holds none that is valid. */
    static CliAccess ensure(Path dataDirectory, ApiSettings api, int port, Catalog catalog, Tokens tokens, Clock clock)
            throws IOException {
        Path file = dataDirectory.resolve(FILE);
        String key = keyIn(file);
        if (catalog.inventory().apiKey(Tokens.hash(key)).isEmpty()) {
            key = tokens.apiKey();
            catalog.addApiKey(
                    "cli",
                    null,
                    ApiKey.Scope.FULL,
                    Tokens.hash(key),
                    clock.instant().truncatedTo(ChronoUnit.MICROS));
        }
        CliAccess access = new CliAccess(
                (api.tls().isPresent() ? "https://" : "http://") + host(api.listen()) + ':' + port + "/api/v2", key);
        Path temporary = file.resolveSibling(FILE + ".new");
        Files.deleteIfExists(temporary);
        Files.createFile(temporary, PosixFilePermissions.asFileAttribute(PosixFilePermissions.fromString("rw-------")));
        Files.write(temporary, JSON.writeValueAsBytes(content(access, api)));
        Files.move(temporary, file, StandardCopyOption.ATOMIC_MOVE, StandardCopyOption.REPLACE_EXISTING);
        return access;
    }

    /** With TLS, the certificate too: its names are not those that this machine's own clients connect to. */
    private static Map<String, String> content(CliAccess access, ApiSettings api) {
        Map<String, String> content = new TreeMap<>(Map.of("apiUrl", access.apiUrl(), "apiKey", access.apiKey()));
        api.tls()
                .ifPresent(tls -> content.put(
                        "certificate", tls.certificate().toAbsolutePath().toString()));
        return content;
    }

    private static String keyIn(Path file) throws IOException {
        try {
            return JSON.readTree(Files.readAllBytes(file)).path("apiKey").asString("");
        } catch (NoSuchFileException | JacksonException unusable) {
            return "";
        }
    }

    private static String host(InetSocketAddress listen) {
        boolean any = listen.getAddress() == null || listen.getAddress().isAnyLocalAddress();
        String host = any ? "127.0.0.1" : listen.getAddress().getHostAddress();
        return host.indexOf(':') >= 0 ? '[' + host + ']' : host;
    }
}
