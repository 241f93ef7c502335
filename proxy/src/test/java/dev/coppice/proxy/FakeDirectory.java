package dev.coppice.proxy;

import dev.coppice.proxy.route.ComputeSocket;
import dev.coppice.proxy.route.EndpointDirectory;
import dev.coppice.proxy.route.Moment;
import dev.coppice.proxy.route.RoutedEndpoint;
import java.util.List;
import java.util.Map;
import java.util.Optional;
import java.util.Set;
import java.util.concurrent.CompletableFuture;
import java.util.concurrent.CompletionStage;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicInteger;
import java.util.function.BooleanSupplier;
import java.util.function.Supplier;

/** A directory made of lists, whose wakes the test answers. */
public final class FakeDirectory implements EndpointDirectory {
    public final List<RoutedEndpoint> endpoints = new CopyOnWriteArrayList<>();
    public final List<RoutedEndpoint> defaults = new CopyOnWriteArrayList<>();
    /** By role, the same at every endpoint. */
    public final Map<String, String> verifiers = new ConcurrentHashMap<>();

    /** Roles that see {@code <endpoint id>~masked} instead of an endpoint. */
    public final Set<String> masked = ConcurrentHashMap.newKeySet();

    /** By endpoint id; for the others {@link #wake} answers. */
    public final Map<String, ComputeSocket> computes = new ConcurrentHashMap<>();

    /** Endpoints, or what is none, whose verifiers were asked for. */
    public final List<String> asked = new CopyOnWriteArrayList<>();

    public final AtomicInteger wakes = new AtomicInteger();
    public final List<String> woken = new CopyOnWriteArrayList<>();
    public volatile Supplier<CompletionStage<ComputeSocket>> wake = CompletableFuture::new;

    @Override
    public Optional<RoutedEndpoint> byEndpointId(String endpointId) {
        return endpoints.stream().filter(e -> e.endpointId().equals(endpointId)).findAny();
    }

    @Override
    public List<RoutedEndpoint> byBranchName(String branchName) {
        return endpoints.stream().filter(e -> e.branchName().equals(branchName)).toList();
    }

    @Override
    public List<RoutedEndpoint> defaults() {
        return List.copyOf(defaults);
    }

    @Override
    public RoutedEndpoint at(RoutedEndpoint endpoint, Moment moment) {
        return new RoutedEndpoint(endpoint.endpointId() + '@' + moment, endpoint.branchName(), endpoint.projectId());
    }

    @Override
    public RoutedEndpoint seenBy(RoutedEndpoint endpoint, String role) {
        return masked.contains(role)
                ? new RoutedEndpoint(endpoint.endpointId() + "~masked", endpoint.branchName(), endpoint.projectId())
                : endpoint;
    }

    @Override
    public CompletionStage<Optional<String>> verifier(String endpointId, String role) {
        asked.add(endpointId);
        return CompletableFuture.completedFuture(Optional.ofNullable(verifiers.get(role)));
    }

    /** Whether computes run that nobody has to wake. */
    public volatile BooleanSupplier running = () -> false;

    @Override
    public boolean runs(String endpointId) {
        return running.getAsBoolean();
    }

    @Override
    public CompletionStage<ComputeSocket> wake(String endpointId) {
        wakes.incrementAndGet();
        woken.add(endpointId);
        ComputeSocket compute = computes.get(endpointId);
        return compute == null ? wake.get() : CompletableFuture.completedFuture(compute);
    }
}
