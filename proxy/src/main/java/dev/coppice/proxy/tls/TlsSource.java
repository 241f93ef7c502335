package dev.coppice.proxy.tls;

import java.io.IOException;
import java.io.UncheckedIOException;
import java.nio.file.Files;
import java.nio.file.Path;
import java.nio.file.attribute.FileTime;
import java.time.Clock;
import java.util.ArrayList;
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

    private final Clock clock;
    private TlsSettings settings;
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

    /**
     * Goes on with other settings, for connections that come from now on; throws as {@link TlsIdentity#load}, and changes
     * nothing then. Reads files.
     */
    public synchronized void reload(TlsSettings changed) {
        current = TlsIdentity.load(changed, clock);
        settings = changed;
        times = times();
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
            log.warn("the changed TLS certificate is not used: {}", reason(e));
            times = now;
        }
    }

    private static String reason(RuntimeException e) {
        Throwable cause = e.getCause();
        return cause == null ? String.valueOf(e.getMessage()) : e.getMessage() + ": " + cause.getMessage();
    }

    private List<FileTime> times() {
        List<Path> files = new ArrayList<>();
        switch (settings) {
            case TlsSettings.Off() -> {}
            case TlsSettings.Files(List<TlsSettings.Certificate> certificates, var clients) -> {
                certificates.forEach(each -> files.addAll(List.of(each.chain(), each.key())));
                clients.ifPresent(asked -> files.add(asked.authorities()));
            }
            case TlsSettings.SelfSigned(Path directory, var clients) -> {
                files.add(directory.resolve(TlsIdentity.CERTIFICATE_FILE));
                files.add(directory.resolve(TlsIdentity.KEY_FILE));
                clients.ifPresent(asked -> files.add(asked.authorities()));
            }
        }
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
