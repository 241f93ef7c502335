package dev.coppice.proxy.tls;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Clock;
import java.util.List;
import java.util.Optional;
import org.slf4j.Logger;
import org.slf4j.LoggerFactory;

/**
 * The certificate and key in use. New files are noticed and used for connections that come then; files that are no
 * certificate and its key change nothing, so a renewal may write them one after the other.
 */
public final class TlsSource {
    private static final Logger log = LoggerFactory.getLogger(TlsSource.class);

    private final TlsSettings settings;
    private final Clock clock;
    private volatile Optional<TlsIdentity> current;
    private List<FileTime> times;

    private TlsSource(TlsSettings settings, Clock clock) {
        this.settings = settings;
        this.clock = clock;
        this.current = TlsIdentity.load(settings, clock);
        this.times = times();
    }

    /** Loads, or makes, what the settings name; throws as {@link TlsIdentity#load}. */
    public static TlsSource open(TlsSettings settings, Clock clock) {
        return new TlsSource(settings, clock);
    }

    /** What a connection that comes now is shown; empty when TLS is off. */
    public Optional<TlsIdentity> current() {
        return current;
    }

    /** Looks whether the files have changed. To be called now and then, on one thread at a time; it reads files. */
    public synchronized void refresh() {
        List<FileTime> now = times();
        if (now.equals(times) || now.isEmpty()) {
            return;
        }
        try {
            current = TlsIdentity.load(settings, clock);
            times = now;
            log.info("the TLS certificate was replaced");
        } catch (IllegalStateException | UncheckedIOException e) {
            log.warn("the changed TLS certificate is not used: {}", e.getMessage());
            times = now;
        }
    }

    private List<FileTime> times() {
        List<Path> files = switch (settings) {
            case TlsSettings.Off() -> List.of();
            case TlsSettings.Files(Path certificate, Path key) -> List.of(certificate, key);
            case TlsSettings.SelfSigned(Path directory) ->
                List.of(directory.resolve(TlsIdentity.CERTIFICATE_FILE), directory.resolve(TlsIdentity.KEY_FILE));
        };
        try {
            return List.of(files.stream()
                    .map(file -> {
                        try {
                            return Files.getLastModifiedTime(file);
                        } catch (IOException e) {
                            throw new UncheckedIOException(e);
                        }
                    })
                    .toArray(FileTime[]::new));
        } catch (UncheckedIOException e) {
            // Between the removal of the old file and the arrival of the new one.
            log.debug("TLS files: {}", e.getMessage());
            return List.of();
        }
    }
}
