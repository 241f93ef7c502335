package dev.coppice.cli.api;

import dev.coppice.cli.output.CliException;
import java.io.IOException;
import java.net.URI;
import java.nio.file.AccessDeniedException;
import java.nio.file.Files;
import java.nio.file.NoSuchFileException;
import java.nio.file.Path;
import java.util.Map;
import org.jspecify.annotations.Nullable;
import tools.jackson.core.JacksonException;
import tools.jackson.databind.JsonNode;
import tools.jackson.databind.json.JsonMapper;

/**
 * Where the API is and the key it wants: from the options, the environment, or the {@code cli.json} that a server leaves
 * in its data directory. The file's key is sent to the file's own address only, so that {@code --api-url} cannot carry it
 * elsewhere.
 *
 * @param certificate the server's, when the address is the file's and the server speaks TLS
 */
public record ApiAddress(URI base, String key, @Nullable Path certificate) {
    private static final String BASE_PATH = "/api/v2";
    private static final String FILE = "cli.json";

    @Override
    public String toString() {
        return base.toString();
    }

    public static ApiAddress find(@Nullable String url, @Nullable String key, Map<String, String> environment) {
        String chosenUrl = url != null ? url : environment.get("COPPICE_API_URL");
        String chosenKey = key != null ? key : environment.get("COPPICE_API_KEY");
        if (chosenUrl != null && chosenKey != null) {
            return new ApiAddress(base(chosenUrl), checked(chosenKey), null);
        }
        Path file = ServerProcessFile.dataDirectory(environment).resolve(FILE);
        JsonNode known = read(file);
        String fileUrl = known.path("apiUrl").asString("");
        URI base = base(chosenUrl != null ? chosenUrl : fileUrl);
        String certificate =
                base.equals(base(fileUrl)) ? known.path("certificate").asString("") : "";
        Path pinned = certificate.isEmpty() ? null : Path.of(certificate);
        if (chosenKey != null) {
            return new ApiAddress(base, checked(chosenKey), pinned);
        }
        if (!base.equals(base(fileUrl))) {
            throw new CliException(
                    CliException.USAGE,
                    "no API key for " + base,
                    "pass --api-key or set COPPICE_API_KEY; the key in " + file + " belongs to " + fileUrl);
        }
        return new ApiAddress(base, checked(known.path("apiKey").asString("")), pinned);
    }

    /** A key goes into a header; what cannot stand there is a mistake of the caller's, such as a pasted line break. */
    private static String checked(String key) {
        if (key.isBlank() || !key.chars().allMatch(c -> c > ' ' && c < 0x7f)) {
            throw new CliException(CliException.USAGE, "the API key is empty or has characters that no key has", null);
        }
        return key;
    }

    private static JsonNode read(Path file) {
        try {
            return JsonMapper.shared().readTree(Files.readString(file));
        } catch (NoSuchFileException e) {
            throw new CliException(
                    CliException.UNREACHABLE,
                    "no server has been started with the data directory " + file.getParent(),
                    "start it with ./coppice up, or set COPPICE_DATA_DIR, or COPPICE_API_URL and COPPICE_API_KEY");
        } catch (AccessDeniedException e) {
            throw new CliException(
                    CliException.USAGE,
                    "cannot read " + file + ": permission denied",
                    "run as the user that started the server, or set COPPICE_API_URL and COPPICE_API_KEY");
        } catch (IOException | JacksonException e) {
            throw new CliException(
                    CliException.USAGE,
                    "cannot read " + file + ": " + e.getMessage(),
                    "the server writes it again at its next start");
        }
    }

    private static URI base(String url) {
        String trimmed = url.endsWith("/") ? url.substring(0, url.length() - 1) : url;
        try {
            URI uri = URI.create(trimmed);
            boolean http = "http".equals(uri.getScheme()) || "https".equals(uri.getScheme());
            if (http && uri.getHost() != null) {
                return uri.getRawPath().isEmpty() ? URI.create(trimmed + BASE_PATH) : uri;
            }
        } catch (IllegalArgumentException notAUri) {
            // Told below, together with what is an URI but not of the web.
        }
        throw new CliException(
                CliException.USAGE, "not an API address: \"" + url + "\"", "it looks like http://127.0.0.1:5480");
    }
}
