"""Makes training/requirements.lock, all that the pins need with a hash each, from pip's report, or training/lint.lock of
training/lint.txt in the same way:

pip install --dry-run --ignore-installed --quiet --report - --requirement training/requirements.txt |
    python training/lock.py > training/requirements.lock
"""

import json
import sys


def lock_of(report: dict) -> str:
    environment = report["environment"]
    lines = [
        f"# For Python {environment['python_version']} on {environment['sys_platform']} "
        f"{environment['platform_machine']}; made by training/lock.py.\n"
    ]
    for package in sorted(report["install"], key=lambda package: package["metadata"]["name"].lower()):
        name, version = package["metadata"]["name"], package["metadata"]["version"]
        hashes = package["download_info"]["archive_info"]["hashes"]
        lines.append(f"{name}=={version} --hash=sha256:{hashes['sha256']}\n")
    return "".join(lines)


if __name__ == "__main__":
    sys.stdout.write(lock_of(json.load(sys.stdin)))
