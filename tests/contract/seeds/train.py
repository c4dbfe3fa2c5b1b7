# train.py の基本例
import argparse
import os
import json

if __name__ == '__main__':
    # 引数のパース
    parser = argparse.ArgumentParser()
    parser.add_argument('--epochs', type=int, default=10)
    parser.add_argument('--batch-size', type=int, default=32)
    args, _ = parser.parse_known_args()

    # 環境変数からパスを取得
    training_dir = os.environ['SM_CHANNEL_TRAINING']
    model_dir = os.environ['SM_MODEL_DIR']

    # トレーニングロジック
    # ...

    # モデルの保存
    model_path = os.path.join(model_dir, 'model.pth')
    # モデル保存のコード
    # ...
