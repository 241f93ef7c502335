package dev.coppice.proxy.route;

/**
 * An endpoint a client can be sent to.
 *
 * @param endpointId for example {@code ep-quiet-moss-1a2b3c4d}
 * @param branchName the name of its branch, unique within the project
 * @param projectId the project; its branches share the names and, at first, the passwords of their roles
 */
public record RoutedEndpoint(String endpointId, String branchName, String projectId) {}
