"""The fake EC2 as a process: prints its URL in one line, and ends when its standard input does."""

import argparse
import sys

from .buckets import Bucket
from .generate import generate_estate
from .server import FakeEc2


def main() -> None:
    """Serve a generated estate until standard input ends."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.fake_ec2", description=__doc__)
    parser.add_argument("--accounts", type=int, default=1, help="accounts, with ids from 100000000000 upwards")
    parser.add_argument("--regions", type=int, default=4, help="regions of each account, at most 17")
    parser.add_argument("--images", type=int, default=2500, help="images in every region")
    parser.add_argument(
        "--first-region-images", type=int, help="images in the first region of the first account, if it differs"
    )
    parser.add_argument("--seed", type=int, default=1, help="what the shared images depend on")
    parser.add_argument("--latency", type=float, default=0.0, metavar="SECONDS", help="wait before every answer")
    parser.add_argument(
        "--bucket", type=Bucket.parse, metavar="CAPACITY+REFILL", help="throttle EC2 calls; or `documented`, or `none`"
    )
    parser.add_argument("--verify-every", type=int, default=64, metavar="N", help="check every n-th signature")
    options = parser.parse_args()
    estate, _ = generate_estate(
        options.accounts,
        options.regions,
        options.images,
        options.seed,
        first_region_images=options.first_region_images,
    )
    with FakeEc2(estate, latency=options.latency, bucket=options.bucket, verify_every=options.verify_every) as fake:
        sys.stdout.write(f"{fake.endpoint_url}\n")
        sys.stdout.flush()
        # Ending with the standard input means that no server outlives the program that started it.
        sys.stdin.read()


if __name__ == "__main__":
    main()
