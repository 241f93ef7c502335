package dev.coppice.control;

import dev.coppice.compute.ComputeSettings;
import dev.coppice.control.api.server.ApiSettings;
import dev.coppice.control.deletion.RecoveryWindow;
import dev.coppice.control.ephemeral.TimeTravel;
import java.nio.file.Path;
import java.util.List;
import java.util.function.Consumer;

/**
 * What the control plane needs to be told.
 *
 * @param dataDirectory Coppice's data directory; {@code secret.key}, {@code cli.json}, {@code catalog/} and {@code
 *     run/catalog/} in it are the control plane's
 * @param api how the REST API is served
 * @param proxyHost the host that connection strings name
 * @param proxyPort the port that connection strings name
 * @param suspendTimeoutSeconds how long a compute may be idle when its endpoint does not say; -1 = for ever
 * @param catalogSharedBuffersMegabytes memory of the catalog's Postgres
 * @param timeTravel limits of the computes of past moments
 * @param recovery how long what was deleted can be recovered
 * @param compute size and settings of computes
 * @param addressSyntax throws IllegalArgumentException for what is no list of addresses, ranges and blocks as the proxy
 *     understands them
 */
public record ControlConfiguration(
        Path dataDirectory,
        ApiSettings api,
        String proxyHost,
        int proxyPort,
        int suspendTimeoutSeconds,
        int catalogSharedBuffersMegabytes,
        TimeTravel.Limits timeTravel,
        RecoveryWindow recovery,
        ComputeSettings compute,
        Consumer<List<String>> addressSyntax) {
    public static final int DEFAULT_SUSPEND_TIMEOUT_SECONDS = 300;
    public static final int DEFAULT_CATALOG_SHARED_BUFFERS_MEGABYTES = 16;

    public ControlConfiguration {
        if (suspendTimeoutSeconds == 0 || suspendTimeoutSeconds < -1) {
            throw new IllegalArgumentException(
                    "suspendTimeoutSeconds must be -1 or positive, not " + suspendTimeoutSeconds);
        }
    }
}
