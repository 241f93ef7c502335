package dev.coppice.server;

import static com.tngtech.archunit.lang.syntax.ArchRuleDefinition.classes;
import static com.tngtech.archunit.library.Architectures.layeredArchitecture;
import static com.tngtech.archunit.library.dependencies.SlicesRuleDefinition.slices;

import com.tngtech.archunit.core.importer.ImportOption;
import com.tngtech.archunit.junit.AnalyzeClasses;
import com.tngtech.archunit.junit.ArchTest;
import com.tngtech.archunit.lang.ArchRule;

/** Dependencies point down only: the table of modules in ARCHITECTURE.md. */
@AnalyzeClasses(packages = "dev.coppice", importOptions = ImportOption.DoNotIncludeTests.class)
class ArchitectureTest {
    @ArchTest
    static final ArchRule dependencies_point_down = layeredArchitecture()
            .consideringOnlyDependenciesInLayers()
            .layer("common")
            .definedBy("dev.coppice.common..")
            .layer("storage")
            .definedBy("dev.coppice.storage..")
            .optionalLayer("masking")
            .definedBy("dev.coppice.masking..")
            .layer("compute")
            .definedBy("dev.coppice.compute..")
            .layer("control")
            .definedBy("dev.coppice.control..")
            .layer("proxy")
            .definedBy("dev.coppice.proxy..")
            .layer("cli")
            .definedBy("dev.coppice.cli..")
            .layer("server")
            .definedBy("dev.coppice.server..")
            .whereLayer("server")
            .mayNotBeAccessedByAnyLayer()
            .whereLayer("cli")
            .mayNotBeAccessedByAnyLayer()
            .whereLayer("proxy")
            .mayOnlyBeAccessedByLayers("server")
            .whereLayer("control")
            .mayOnlyBeAccessedByLayers("server")
            .whereLayer("compute")
            .mayOnlyBeAccessedByLayers("control", "server")
            .whereLayer("storage")
            .mayOnlyBeAccessedByLayers("compute", "control", "server")
            .whereLayer("masking")
            .mayOnlyBeAccessedByLayers("compute", "control", "server")
            .whereLayer("masking")
            .mayNotAccessAnyLayer();

    @ArchTest
    static final ArchRule modules_have_no_cycles =
            slices().matching("dev.coppice.(*)..").should().beFreeOfCycles();

    @ArchTest
    static final ArchRule the_proxy_moves_bytes_without_jdbc = classes()
            .that()
            .resideInAnyPackage("dev.coppice.proxy..", "dev.coppice.storage..")
            .should()
            .onlyDependOnClassesThat()
            .resideOutsideOfPackage("java.sql..");
}
