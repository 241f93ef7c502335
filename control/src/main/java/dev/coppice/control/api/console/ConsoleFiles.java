package dev.coppice.control.api.console;

import io.avaje.jex.Jex;
import io.avaje.jex.http.Context;
import java.io.ByteArrayOutputStream;
import java.io.IOException;
import java.io.InputStream;
import java.io.UncheckedIOException;
import java.nio.charset.StandardCharsets;
import java.security.SecureRandom;
import java.util.Base64;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.concurrent.ConcurrentHashMap;
import java.util.regex.Pattern;
import java.util.zip.GZIPOutputStream;
import org.jspecify.annotations.Nullable;

/**
 * Serves the console below {@value #BASE}, from the class path, for anybody: what it shows it asks the API for. Whatever is no file
 * is its page, which knows its own addresses. Scripts and styles come from here or not at all (content security policy). Thread-safe.
 */
public final class ConsoleFiles {
    /** Where the console is. */
    public static final String BASE = "/console/";

    private static final String RESOURCES = "/coppice-console/";
    private static final String PAGE = "index.html";

    /** In the page; a style sheet that a script makes must have what stands there. */
    private static final String NONCE = "__STYLE_NONCE__";

    /** Their names have a hash of what they hold. */
    private static final Pattern ASSET = Pattern.compile("assets/[A-Za-z0-9._-]+");

    private static final Pattern FILE = Pattern.compile("[A-Za-z0-9_-]+\\.(svg|png|ico|txt|webmanifest)");
    private static final Map<String, String> TYPES = Map.of(
            "html", "text/html; charset=utf-8",
            "js", "text/javascript; charset=utf-8",
            "css", "text/css; charset=utf-8",
            "svg", "image/svg+xml",
            "png", "image/png",
            "ico", "image/x-icon",
            "woff2", "font/woff2",
            "txt", "text/plain; charset=utf-8",
            "webmanifest", "application/manifest+json");
    private static final int NONCE_BYTES = 16;
    private static final int COMPRESSED_FROM_BYTES = 1024;
    private static final String NOT_BUILT = """
            <!doctype html><html lang="en"><meta charset="utf-8"><title>Coppice</title>
            <p>This Coppice was built without its console: Node 20.19 or newer and npm were not there, or could not reach their
            registry. Build it again with them. The API is under <code>/api/v2</code>, the command line is <code>./coppice --help</code>.
            """;

    private final SecureRandom random = new SecureRandom();
    private final Map<String, File> files = new ConcurrentHashMap<>();
    private final String resources;

    public ConsoleFiles() {
        this(RESOURCES);
    }

    /** For tests: another place on the class path, beginning and ending with a slash. */
    ConsoleFiles(String resources) {
        this.resources = resources;
    }

    /** @param compressed by gzip; absent where that gains nothing */
    @SuppressWarnings("ArrayRecordComponent") // nobody compares files
    private record File(byte[] content, byte @Nullable [] compressed) {}

    /** Whether a request is for the console. */
    public static boolean isFor(String path) {
        return path.equals("/") || path.startsWith(BASE) || path.equals("/console");
    }

    /** Answers requests that are {@linkplain #isFor for the console}. */
    public void register(Jex jex) {
        for (String path : List.of("/", "/console", BASE + "<path>")) {
            jex.get(path, this::serve);
        }
    }

    private void serve(Context context) {
        String path = context.exchange().getRequestURI().getPath();
        if (!path.startsWith(BASE)) {
            context.header("Location", BASE);
            send(context, 302, "txt", new byte[0]);
            return;
        }
        String name = path.substring(BASE.length());
        if (ASSET.matcher(name).matches() || FILE.matcher(name).matches()) {
            Optional<File> file = file(name);
            if (file.isEmpty()) {
                send(context, 404, "txt", "There is no such file.".getBytes(StandardCharsets.UTF_8));
                return;
            }
            context.header(
                    "Cache-Control",
                    ASSET.matcher(name).matches() ? "public, max-age=31536000, immutable" : "public, max-age=3600");
            sendFile(context, name, file.get());
            return;
        }
        page(context);
    }

    private void page(Context context) {
        Optional<File> page = file(PAGE);
        byte[] bytes = new byte[NONCE_BYTES];
        random.nextBytes(bytes);
        String nonce = Base64.getUrlEncoder().withoutPadding().encodeToString(bytes);
        context.header("Cache-Control", "no-store").header("Content-Security-Policy", policy(nonce));
        if (page.isEmpty()) {
            send(context, 404, "html", NOT_BUILT.getBytes(StandardCharsets.UTF_8));
            return;
        }
        String text = new String(page.get().content(), StandardCharsets.UTF_8).replace(NONCE, nonce);
        send(context, 200, "html", text.getBytes(StandardCharsets.UTF_8));
    }

    private static String policy(String nonce) {
        return "default-src 'none'; script-src 'self'; style-src 'self' 'nonce-" + nonce
                + "'; img-src 'self'; font-src 'self'; connect-src 'self'; manifest-src 'self'; frame-ancestors 'none';"
                + " base-uri 'none'; form-action 'none'; object-src 'none'";
    }

    private void sendFile(Context context, String name, File file) {
        String type = name.substring(name.lastIndexOf('.') + 1);
        byte[] compressed = file.compressed();
        context.header("Vary", "Accept-Encoding");
        String accepted = context.header("Accept-Encoding");
        if (compressed != null && accepted != null && accepted.contains("gzip")) {
            context.header("Content-Encoding", "gzip");
            send(context, 200, type, compressed);
        } else {
            send(context, 200, type, file.content());
        }
    }

    private static void send(Context context, int status, String type, byte[] content) {
        context.status(status)
                .header("X-Content-Type-Options", "nosniff")
                .header("X-Frame-Options", "DENY")
                .header("Referrer-Policy", "no-referrer")
                .header("Cross-Origin-Opener-Policy", "same-origin")
                .header("Cross-Origin-Resource-Policy", "same-origin")
                .contentType(TYPES.getOrDefault(type, "application/octet-stream"))
                .write(content);
    }

    /** Read once: there are some dozens, together of a few megabytes. */
    private Optional<File> file(String name) {
        File known = files.get(name);
        if (known != null) {
            return Optional.of(known);
        }
        try (InputStream in = ConsoleFiles.class.getResourceAsStream(resources + name)) {
            if (in == null) {
                return Optional.empty();
            }
            byte[] content = in.readAllBytes();
            File file = new File(content, compressed(content));
            files.put(name, file);
            return Optional.of(file);
        } catch (IOException e) {
            throw new UncheckedIOException("cannot read the console's file " + name, e);
        }
    }

    private static byte @Nullable [] compressed(byte[] content) throws IOException {
        if (content.length < COMPRESSED_FROM_BYTES) {
            return null;
        }
        ByteArrayOutputStream bytes = new ByteArrayOutputStream(content.length / 2);
        try (GZIPOutputStream out = new GZIPOutputStream(bytes)) {
            out.write(content);
        }
        return bytes.size() < content.length ? bytes.toByteArray() : null;
    }
}
