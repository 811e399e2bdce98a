# The jobs of one submission run side by side in its own process, within what the scheduler granted. The executor plugin
# would start another Snakemake for each of them, one after the other. Included last: it speaks of every rule.
import shutil

from repalign.jobs import finished

GPU_MEMORY = "REPALIGN_GPU_MB"


def run_side_by_side():
    """Make every rule a local one of this process, limited by what was granted."""
    granted = {
        "_nodes": None,
        "_cores": os.environ.get("SLURM_CPUS_PER_TASK") or len(os.sched_getaffinity(0)),
        "mem_mb": os.environ.get("SLURM_MEM_PER_NODE"),
        "gpu_mb": os.environ.get(GPU_MEMORY),
    }
    for name, value in granted.items():
        workflow.register_resource(name, value and int(value))
    workflow.localrules(*(rule.name for rule in workflow.rules))


if workflow.is_main_process:
    # Limits of a single submission are not passed on by themselves.
    if "gpu_mb" in workflow.global_resources:
        os.environ[GPU_MEMORY] = str(workflow.global_resources["gpu_mb"].value)
elif workflow.remote_exec:
    if "--local-groupid" in sys.argv:
        os.environ[finished.GROUP] = "1"
    run_side_by_side()


onsuccess:
    if not workflow.local_exec:
        shutil.rmtree(finished.FOLDER, ignore_errors=True)
